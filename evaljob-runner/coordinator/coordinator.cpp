#include "evaljob-runner/coordinator/coordinator.hpp"

#include <algorithm>

#include "api/assert.hpp"
#include "api/exit_code.hpp"
#include "api/printable.hpp"
#include "evaljob-runner/coordinator/same_secret.hpp"

namespace evaljob {

namespace {

constexpr std::uint32_t max_leases_per_rank = 64;

std::unique_ptr<Waiting> waiting_of(const CoordinatorOptions& options, const std::vector<BatchFeatures>& batches,
                                    const CostModel& costs) {
    if (options.schedule == Schedule::Static) return std::make_unique<FixedStride>(options.expected.world_size);
    return std::make_unique<LongestFirst>(batches, costs);
}

}  // namespace

Coordinator::Coordinator(CoordinatorOptions options, const std::vector<BatchState>& batches)
    : options_(std::move(options)),
      gathering_(static_cast<std::size_t>(
          std::max(1, options_.expected.world_size / std::max(1, options_.expected.local_world_size)))) {
    std::vector<BatchFeatures> features;
    features.reserve(batches.size());
    for (const BatchState& batch : batches) {
        features.push_back({batch.kind, batch.items, batch.bytes});
        costs_.expect(features.back());
    }
    waiting_ = waiting_of(options_, features, costs_);
    capacity_ = std::max(1, options_.expected.world_size);
    batches_.reserve(batches.size());
    for (std::uint64_t i = 0; i < batches.size(); ++i) {
        batches_.push_back({features[i], batches[i].finished});
        items_total_ += batches[i].items;
        if (batches[i].finished) {
            items_resumed_ += batches[i].items;
        } else {
            ++unfinished_;
            waiting_->put(i);
        }
    }
    EVALJOB_ASSERT(items_resumed_ <= items_total_, "what is done is a part of all");
    items_done_ = items_resumed_;
    first_failures_ = FirstFailures(items_resumed_ > 0);
    cost_at_start_ = waiting_->cost();
}

Effects Coordinator::start() {
    if (unfinished_ == 0) return {WriteDoneMarker{}};
    return {};
}

Effects Coordinator::message(SessionId session, const Message& message, Milliseconds now) {
    Effects effects;
    if (const auto* hello = std::get_if<Hello>(&message)) {
        if (is_registered(session)) return {CloseSession{session}};  // a connection is one process's
        on_hello(session, *hello, now, effects);
        return effects;
    }
    const auto it = holders_.find(session);
    if (it == holders_.end()) return {CloseSession{session}};  // nobody speaks before its hello was accepted
    it->second.last_heard = now;
    if (const auto* want = std::get_if<Want>(&message)) {
        it->second.wanted = std::min(want->leases, max_leases_per_rank);
        set_late(it->second, std::nullopt);
    } else if (const auto* done = std::get_if<Done>(&message)) {
        on_done(session, *done, now, effects);
    } else if (const auto* returned = std::get_if<Return>(&message)) {
        if (it->second.leases.contains(returned->lease)) take_back(returned->lease, now);
        it->second.wanted = 0;  // who gives back is leaving
    } else if (const auto* join = std::get_if<Join>(&message)) {
        gathering_.join(session, *join, now);
        form_group(now, effects);
    } else if (const auto* abort = std::get_if<Abort>(&message)) {
        end_job(abort->exit_code, describe(it->second.hello) + ": " + printable(abort->message), effects);
    } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
        it->second.waiting_for = heartbeat->waiting_for;
    } else {
        effects.push_back(CloseSession{session});  // a message that only the coordinator sends
    }
    refile(session, it->second, now);
    const bool came_back = std::holds_alternative<Return>(message);
    lease_out(came_back ? std::nullopt : std::optional(session), now, effects);
    run_twice(!std::holds_alternative<Heartbeat>(message), now, effects);
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
    if (auto violation = contract_violation(hello, options_.expected, rivals_of(hello)); !violation.empty()) {
        refuse({exit_code::contract, violation});
        return end_job(exit_code::contract, violation, effects);
    }
    enlist(session, hello, now, effects);
}

// What is wrong with this process alone; the job goes on without it.
std::optional<Refused> Coordinator::refusal_of(const Hello& hello) const {
    if (!same_secret(hello.token, options_.token)) {
        return Refused{
            exit_code::contract,
            "the token is not this run's: every Pod of it must mount the Secret that status.runSecret names"};
    }
    if (hello.version != protocol_version) {
        return Refused{exit_code::contract, "the runner of " + describe(hello) +
                                                " is of another version than node 0's; give all nodes the same image"};
    }
    if (ended_) return Refused{ended_->exit_code, ended_->message};
    for (const Hello& other : rivals_of(hello)) {
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
    for (const SessionId other : superseded) lose(other, "was replaced by " + describe(hello), now, effects);
    EVALJOB_ASSERT(!holders_.contains(session), "a connection is one process's");
    Holder& holder = holders_[session];
    holder.hello = hello;
    holder.last_heard = now;
    ranks_[hello.contract.rank].registered = true;
    balance_.came(hello.contract.rank, now);
    waiting_->set_present(hello.contract.rank, true);
    adopt_held(session, holder, now);
    effects.push_back(
        Send{session, Welcome{options_.epoch, options_.identity, static_cast<std::int32_t>(options_.heartbeat)}});
    effects.push_back(Note{"registered " + describe(hello) + ", device " + hello.device.kind + " " +
                           std::to_string(hello.device.index)});
}

// A rank that outlived a connection or a coordinator goes on with what it holds, under the number it has.
void Coordinator::adopt_held(SessionId session, Holder& holder, Milliseconds now) {
    for (const HeldLease& held : holder.hello.held) {
        if (held.batch >= batches_.size() || outstanding_.contains(held.lease)) continue;
        const bool never_given = held.lease.epoch == options_.epoch && held.lease.counter >= next_counter_;
        if (never_given) continue;
        Batch& batch = batches_[held.batch];
        if (batch.finished || batch.live > 0) continue;
        waiting_->remove(held.batch);
        outstanding_[held.lease] = {held.batch, session, now};
        ++batch.live;
        batch.leased_once = true;
        holder.leases.insert(held.lease);
    }
    holder.begun = now;
}

void Coordinator::on_done(SessionId session, const Done& done, Milliseconds now, Effects& effects) {
    effects.push_back(Send{session, Ack{done.lease}});
    if (done.batch >= batches_.size()) return;
    Holder& holder = holders_.at(session);
    set_late(holder, std::nullopt);
    if (const auto it = outstanding_.find(done.lease); it != outstanding_.end() && it->second.batch == done.batch)
        end_lease(done.lease, now);
    if (batches_[done.batch].finished) return;  // evaluated twice: ordinary, the merge counts it once
    finish(done.batch, done, holder.rank(), now, effects);
}

void Coordinator::finish(std::uint64_t number, const Done& done, std::int32_t rank, Milliseconds now,
                         Effects& effects) {
    Batch& batch = batches_[number];
    EVALJOB_ASSERT(!batch.finished && unfinished_ > 0, "a batch is finished once");
    batch.finished = true;
    last_done_ = now;
    waiting_->remove(number);
    items_done_ += batch.features.samples;
    EVALJOB_ASSERT(items_done_ <= items_total_, "what is done is a part of all");
    items_failed_ += done.failed;
    ranks_[rank].samples += batch.features.samples;
    ranks_[rank].compute_us += done.compute_us;
    const double ms = static_cast<double>(done.compute_us) / 1'000;
    balance_.worked(rank, ms);
    costs_.observe(batch.features, rank, ms);
    longest_ms_ = std::max(longest_ms_, ms / costs_.factor(rank));
    waiting_->refit(costs_);
    --unfinished_;
    watch_failures(number, done, effects);
    if (unfinished_ > 0 || ended_) return;
    balance_.ended(now);
    effects.push_back(WriteDoneMarker{});
}

/// When all that was tried has failed for one reason, the cheapest tell whether the rest is worth trying.
void Coordinator::watch_failures(std::uint64_t number, const Done& done, Effects& effects) {
    const std::uint32_t samples = batches_[number].features.samples;
    first_failures_.done(number, samples, done.failed >= samples ? done.failure : "");
    if (first_failures_.wants_the_cheapest()) {
        first_failures_.ask_first(cheapest_of(batches_.size(), [this](std::uint64_t i) {
            return batches_[i].finished || batches_[i].live > 0 ? nullptr : &batches_[i].features;
        }));
        if (first_failures_.is_asking())
            effects.push_back(Note{"all samples have failed alike so far; the cheapest are tried next"});
    }
    if (first_failures_.is_hopeless() && unfinished_ > 0)
        end_job(exit_code::bad_input, first_failures_.message(), effects);
}

Effects Coordinator::disconnected(SessionId session, Milliseconds now) {
    Effects effects;
    lose(session, "lost its connection", now, effects);
    lease_out(std::nullopt, now, effects);
    run_twice(true, now, effects);
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
        lose(session, "has been silent for too long", now, effects);
        effects.push_back(CloseSession{session});
    }
    take_back_late(now, effects);
    for (std::int32_t rank = 0; rank < options_.expected.world_size && now - *begun_ > options_.absence; ++rank)
        if (!ranks_.contains(rank)) waiting_->set_present(rank, false);
    measure_capacity();
    form_group(now, effects);
    lease_out(std::nullopt, now, effects);
    run_twice(!effects.empty(), now, effects);
    return effects;
}

Effects Coordinator::published() {
    published_ = true;
    items_resumed_ += items_total_ - items_done_;  // others did these, or have failed on them for good
    items_done_ = items_total_;
    Effects effects;
    for (const auto& [session, holder] : holders_) effects.push_back(Send{session, Finished{}});
    return effects;
}

void Coordinator::form_group(Milliseconds now, Effects& effects) {
    for (const auto& [session, group] : gathering_.form(now)) effects.push_back(Send{session, group});
}

void Coordinator::lose(SessionId session, const std::string& why, Milliseconds now, Effects& effects) {
    const auto it = holders_.find(session);
    if (it == holders_.end()) return;
    Holder& holder = it->second;
    if (!published_) {
        effects.push_back(Note{describe(holder.hello) + " " + why + "; " + std::to_string(holder.leases.size()) +
                               " leases are handed out again"});
    }
    holder.wanted = 0;
    for (const LeaseNumber number : std::set(holder.leases)) take_back(number, now);
    EVALJOB_ASSERT(holder.leases.empty(), "whoever is lost holds nothing");
    refile(session, holder, now);
    EVALJOB_ASSERT(!holder.hungry, "whoever is lost wants nothing");
    balance_.went(holder.rank(), now);
    waiting_->set_present(holder.rank(), false);
    holders_.erase(it);
    gathering_.leave(session);
}

void Coordinator::end_job(int exit_code, const std::string& message, Effects& effects) {
    if (ended_) return;
    ended_ = EndJob{exit_code, message};
    for (const auto& [session, holder] : holders_) effects.push_back(Send{session, Refused{exit_code, message}});
    effects.push_back(*ended_);
}

/// Of all that are connected, those that could stand in the way: thousands of CPU ranks need not be compared in pairs.
std::vector<Hello> Coordinator::rivals_of(const Hello& hello) const {
    std::vector<Hello> hellos;
    for (const auto& [session, holder] : holders_) {
        const bool may_share_a_device = hello.device.kind == "cuda" && holder.hello.device.kind == "cuda";
        if (holder.rank() == hello.contract.rank || may_share_a_device) hellos.push_back(holder.hello);
    }
    return hellos;
}

}  // namespace evaljob
