#include "evaljob-runner/coordinator/coordinator.hpp"

#include <algorithm>

#include "api/exit_code.hpp"
#include "evaljob-runner/coordinator/same_secret.hpp"

namespace evaljob {

namespace {

constexpr std::uint32_t max_leases_per_rank = 64;
constexpr double refit_weight = 0.1;  // of the newest batch in the cost per item
constexpr double longest_patience_ms = 1e12;
constexpr double patience_factor = 5.0;  // a lease may take so many times what was predicted

std::string text_of(LeaseNumber n) { return std::to_string(n.epoch) + "." + std::to_string(n.counter); }

}  // namespace

Coordinator::Coordinator(CoordinatorOptions options, const std::vector<BatchState>& batches)
    : options_(std::move(options)),
      batches_(batches),
      gathering_(static_cast<std::size_t>(
          std::max(1, options_.expected.world_size / std::max(1, options_.expected.local_world_size)))) {
    for (std::uint64_t i = 0; i < batches_.size(); ++i) {
        items_total_ += batches_[i].items;
        if (batches_[i].finished) {
            items_resumed_ += batches_[i].items;
        } else {
            ++unfinished_;
            requeue(i);
        }
    }
    items_done_ = items_resumed_;
}

Effects Coordinator::start() {
    if (unfinished_ == 0) return {WriteDoneMarker{}};
    return {};
}

Effects Coordinator::message(SessionId session, const Message& message, Milliseconds now) {
    Effects effects;
    if (const auto* hello = std::get_if<Hello>(&message)) {
        on_hello(session, *hello, now, effects);
        return effects;
    }
    const auto it = holders_.find(session);
    if (it == holders_.end()) return {CloseSession{session}};  // nobody speaks before its hello was accepted
    it->second.last_heard = now;
    if (const auto* want = std::get_if<Want>(&message)) {
        it->second.wanted = std::min(want->leases, max_leases_per_rank);
        it->second.late.reset();
    } else if (const auto* done = std::get_if<Done>(&message)) {
        on_done(session, *done, now, effects);
    } else if (const auto* returned = std::get_if<Return>(&message)) {
        if (it->second.leases.contains(returned->lease)) take_back(returned->lease);
        it->second.wanted = 0;  // who gives back is leaving
    } else if (const auto* join = std::get_if<Join>(&message)) {
        gathering_.join(session, *join, now);
        form_group(now, effects);
    } else if (const auto* abort = std::get_if<Abort>(&message)) {
        end_job(abort->exit_code, describe(it->second.hello) + ": " + abort->message, effects);
    } else if (!std::holds_alternative<Heartbeat>(message)) {
        effects.push_back(CloseSession{session});  // a message that only the coordinator sends
    }
    lease_out(now, effects);
    return effects;
}

void Coordinator::on_hello(SessionId session, const Hello& hello, Milliseconds now, Effects& effects) {
    const auto refuse = [&](const Refused& refused) {
        effects.push_back(Note{"refused " + describe(hello) + ": " + refused.message});
        effects.push_back(Send{session, refused});
        effects.push_back(CloseSession{session});
    };
    if (const auto refused = refusal_of(hello)) return refuse(*refused);
    if (published_) {
        effects.push_back(Send{session, Finished{}});
        return;
    }
    if (auto violation = contract_violation(hello, options_.expected, connected_hellos()); !violation.empty()) {
        refuse({exit_code::contract, violation});
        return end_job(exit_code::contract, violation, effects);
    }
    enlist(session, hello, now, effects);
}

// What is wrong with this process alone; the job goes on without it.
std::optional<Refused> Coordinator::refusal_of(const Hello& hello) const {
    if (!same_secret(hello.token, options_.token)) {
        return Refused{exit_code::contract, "EVALJOB_TOKEN: is not this run's token"};
    }
    if (hello.version != protocol_version) {
        return Refused{exit_code::contract, "the runner of " + describe(hello) +
                                                " is of another version than node 0's; give all nodes the same image"};
    }
    if (ended_) return Refused{ended_->exit_code, ended_->message};
    for (const Hello& other : connected_hellos()) {
        // One that was cut off while a successor took its place is no rival: it alone has to go.
        if (!supersedes(other, hello) || supersedes(hello, other)) continue;
        return Refused{exit_code::unavailable, describe(hello) + " was replaced by " + describe(other)};
    }
    return std::nullopt;
}

void Coordinator::enlist(SessionId session, const Hello& hello, Milliseconds now, Effects& effects) {
    std::vector<SessionId> superseded;
    for (const auto& [other, holder] : holders_) {
        if (holder.hello.contract.rank == hello.contract.rank) superseded.push_back(other);
    }
    for (const SessionId other : superseded) lose(other, "was replaced by " + describe(hello), effects);
    Holder& holder = holders_[session];
    holder.hello = hello;
    holder.last_heard = now;
    ranks_[hello.contract.rank].registered = true;
    adopt_held(session, holder, now);
    effects.push_back(
        Send{session, Welcome{options_.epoch, options_.identity, static_cast<std::int32_t>(options_.heartbeat)}});
    effects.push_back(Note{"registered " + describe(hello) + ", device " + hello.device.kind + " " +
                           std::to_string(hello.device.index)});
}

// A rank that outlived a connection or a coordinator goes on with what it holds, under the number it has.
void Coordinator::adopt_held(SessionId session, Holder& holder, Milliseconds now) {
    for (const HeldLease& held : holder.hello.held) {
        if (held.batch >= batches_.size() || batches_[held.batch].finished || is_outstanding(held.batch)) continue;
        pending_.erase({-static_cast<std::int64_t>(batches_[held.batch].items), held.batch});
        outstanding_[held.lease] = {held.batch, session, now, deadline_of(held.batch, now)};
        holder.leases.insert(held.lease);
        leased_once_.insert(held.batch);
    }
}

void Coordinator::on_done(SessionId session, const Done& done, Milliseconds now, Effects& effects) {
    effects.push_back(Send{session, Ack{done.lease}});
    if (done.batch >= batches_.size()) return;
    Holder& holder = holders_.at(session);
    holder.late.reset();
    RankRecord& rank = ranks_[holder.hello.contract.rank];
    const auto it = outstanding_.find(done.lease);
    if (it != outstanding_.end() && it->second.batch == done.batch) {
        if (const auto of = holders_.find(it->second.session); of != holders_.end())
            of->second.leases.erase(done.lease);
        outstanding_.erase(it);
    }
    BatchState& batch = batches_[done.batch];
    if (batch.finished) return;  // evaluated twice: ordinary, the merge counts it once
    batch.finished = true;
    last_done_ = now;
    pending_.erase({-static_cast<std::int64_t>(batch.items), done.batch});
    items_done_ += batch.items;
    items_failed_ += done.failed;
    rank.samples += batch.items;
    rank.compute_us += done.compute_us;
    if (batch.items > 0 && done.compute_us > 0) {
        const double newest = static_cast<double>(done.compute_us) / batch.items;
        us_per_item_ = us_per_item_ == 0 ? newest : us_per_item_ + refit_weight * (newest - us_per_item_);
    }
    if (--unfinished_ == 0) effects.push_back(WriteDoneMarker{});
}

Effects Coordinator::disconnected(SessionId session, Milliseconds now) {
    Effects effects;
    lose(session, "lost its connection", effects);
    lease_out(now, effects);
    return effects;
}

Effects Coordinator::tick(Milliseconds now) {
    if (!begun_) begun_ = now;
    Effects effects;
    std::vector<SessionId> silent;
    for (const auto& [session, holder] : holders_) {
        if (now - holder.last_heard > options_.silence) silent.push_back(session);
    }
    for (const SessionId session : silent) {
        lose(session, "has been silent for too long", effects);
        effects.push_back(CloseSession{session});
    }
    std::vector<LeaseNumber> late;
    for (const auto& [number, lease] : outstanding_) {
        if (now > lease.deadline) late.push_back(number);
    }
    for (const LeaseNumber number : late) {
        const Outstanding& lease = outstanding_.at(number);
        const auto holder = holders_.find(lease.session);
        if (holder != holders_.end())
            holder->second.late = std::min(lease.begun, holder->second.late.value_or(lease.begun));
        const std::string who = holder == holders_.end() ? "a lost process" : describe(holder->second.hello);
        effects.push_back(Note{"lease " + text_of(number) + " of " + who + " took too long; batch " +
                               std::to_string(lease.batch) + " is leased again"});
        take_back(number);
    }
    form_group(now, effects);
    lease_out(now, effects);
    return effects;
}

Effects Coordinator::published() {
    published_ = true;
    Effects effects;
    for (const auto& [session, holder] : holders_) effects.push_back(Send{session, Finished{}});
    return effects;
}

void Coordinator::lease_out(Milliseconds now, Effects& effects) {
    if (ended_) return;
    // Everyone gets a first lease before anyone gets a second: at the end of a run that spreads the rest evenly.
    for (std::uint32_t depth = 1; depth <= max_leases_per_rank && !pending_.empty(); ++depth) {
        bool wanted_more = false;
        for (auto& [session, holder] : holders_) {
            if (pending_.empty()) return;
            if (holder.late) continue;
            if (holder.leases.size() < std::min(holder.wanted, depth)) grant(session, holder, now, effects);
            wanted_more = wanted_more || holder.wanted > depth;
        }
        if (!wanted_more) return;
    }
}

void Coordinator::form_group(Milliseconds now, Effects& effects) {
    for (const auto& [session, group] : gathering_.form(now)) effects.push_back(Send{session, group});
}

void Coordinator::grant(SessionId session, Holder& holder, Milliseconds now, Effects& effects) {
    const std::uint64_t batch = pending_.begin()->second;
    pending_.erase(pending_.begin());
    const LeaseNumber number{options_.epoch, next_counter_++};
    outstanding_[number] = {batch, session, now, deadline_of(batch, now)};
    holder.leases.insert(number);
    if (!leased_once_.insert(batch).second) ++leases_again_;
    if (!first_lease_) first_lease_ = now;
    effects.push_back(Send{session, Lease{number, batch}});
    effects.push_back(Note{"lease " + text_of(number) + ": batch " + std::to_string(batch) + " to rank " +
                           std::to_string(holder.hello.contract.rank)});
}

void Coordinator::take_back(LeaseNumber number) {
    const auto it = outstanding_.find(number);
    if (it == outstanding_.end()) return;
    const Outstanding lease = it->second;
    if (const auto holder = holders_.find(lease.session); holder != holders_.end()) holder->second.leases.erase(number);
    outstanding_.erase(it);
    if (!batches_[lease.batch].finished && !is_outstanding(lease.batch)) requeue(lease.batch);
}

void Coordinator::lose(SessionId session, const std::string& why, Effects& effects) {
    const auto it = holders_.find(session);
    if (it == holders_.end()) return;
    const std::set<LeaseNumber> leases = it->second.leases;
    if (!published_) {
        effects.push_back(Note{describe(it->second.hello) + " " + why + "; " + std::to_string(leases.size()) +
                               " leases are handed out again"});
    }
    holders_.erase(it);
    gathering_.leave(session);
    for (const LeaseNumber number : leases) take_back(number);
}

void Coordinator::end_job(int exit_code, const std::string& message, Effects& effects) {
    if (ended_) return;
    ended_ = EndJob{exit_code, message};
    for (const auto& [session, holder] : holders_) effects.push_back(Send{session, Refused{exit_code, message}});
    effects.push_back(*ended_);
}

Milliseconds Coordinator::deadline_of(std::uint64_t batch, Milliseconds now) const {
    // The factor leaves room for a lease that waits behind the others of its holder.
    const double predicted_ms = us_per_item_ * batches_[batch].items / 1000.0;
    const double patience = std::min(patience_factor * predicted_ms, longest_patience_ms);
    return now + std::max(options_.min_lease, static_cast<Milliseconds>(patience));
}

void Coordinator::requeue(std::uint64_t batch) {
    pending_.insert({-static_cast<std::int64_t>(batches_[batch].items), batch});
}

bool Coordinator::is_outstanding(std::uint64_t batch) const {
    return std::any_of(outstanding_.begin(), outstanding_.end(),
                       [&](const auto& lease) { return lease.second.batch == batch; });
}

std::vector<Hello> Coordinator::connected_hellos() const {
    std::vector<Hello> hellos;
    hellos.reserve(holders_.size());
    for (const auto& [session, holder] : holders_) hellos.push_back(holder.hello);
    return hellos;
}

Milliseconds Coordinator::holding(const Holder& holder, Milliseconds now) const {
    Milliseconds oldest = holder.late.value_or(now);
    for (const LeaseNumber& number : holder.leases)
        if (const auto lease = outstanding_.find(number); lease != outstanding_.end())
            oldest = std::min(oldest, lease->second.begun);
    return now - oldest;
}

CoordinatorProgress Coordinator::progress(Milliseconds now) const {
    CoordinatorProgress p;
    p.samples_done = items_done_;
    p.samples_total = items_total_;
    p.samples_resumed = items_resumed_;
    p.samples_failed = items_failed_;
    const Milliseconds until = unfinished_ == 0 ? last_done_ : now;
    const double seconds = first_lease_ ? static_cast<double>(until - *first_lease_) / 1000.0 : 0;
    if (seconds > 0) p.samples_per_second = static_cast<double>(items_done_ - items_resumed_) / seconds;
    if (p.samples_per_second > 0)
        p.eta_seconds = static_cast<double>(items_total_ - items_done_) / p.samples_per_second;
    if (begun_ && unfinished_ > 0) p.idle_seconds = (now - std::max(*begun_, last_done_)) / 1000;
    p.batches = batches_.size();
    p.leases = next_counter_ - 1;
    p.leases_again = leases_again_;
    p.finished = published_;
    std::int32_t registered = 0;
    for (const auto& [rank, record] : ranks_) {
        registered += record.registered ? 1 : 0;
        RankProgress one{rank, false, record.samples, record.compute_us, 0};
        for (const auto& [session, holder] : holders_) {
            if (holder.hello.contract.rank != rank) continue;
            one.connected = true;
            one.holding = std::max(one.holding, holding(holder, now));
        }
        p.ranks.push_back(one);
    }
    p.rendezvous_ready = registered >= options_.expected.world_size;
    return p;
}

}  // namespace evaljob
