// Who gets which batch, for how long, and when a second rank gets it too.
#include <algorithm>
#include <cmath>

#include "api/assert.hpp"
#include "evaljob-runner/coordinator/coordinator.hpp"

namespace evaljob {

namespace {

constexpr double longest_patience_ms = 1e12;
constexpr double ahead_ms = 2'000;          // the next batch is leased so long before this one ends, at most
constexpr std::uint32_t one_at_a_time = 2;  // leases of a rank that computes one batch and prepares another
constexpr double patience_factor = 5.0;     // a lease may take so many times what was predicted
constexpr std::size_t stragglers_per_ms = 500;

}  // namespace

/// Everyone gets a first lease before anyone gets a second: at the end of a run that spreads the rest evenly. `asked`:
/// the only one that may have room for more than a first one; none: anyone may.
void Coordinator::lease_out(std::optional<SessionId> asked, Milliseconds now, Effects& effects) {
    if (ended_ || published_) return;
    const auto some_left = [&] { return (asked ? waiting_->for_anyone() : waiting_->size()) > 0; };
    for (auto at = hungry_.begin(); at != hungry_.end() && some_left();) {
        const auto [held, session] = *at;
        if (held > 0 && asked) break;
        grant_next(session, now, effects);
        at = hungry_.upper_bound({held, session});
    }
    while (asked && holders_.contains(*asked) && grant_next(*asked, now, effects)) {
    }
}

/// One more lease, if the rank wants one and should have one.
bool Coordinator::grant_next(SessionId session, Milliseconds now, Effects& effects) {
    const Holder& holder = holders_.at(session);
    if (!holder.hungry) return false;
    const bool cheapest = first_failures_.is_asking();
    const auto batch = cheapest ? next_of_cheapest() : waiting_->next(holder.rank());
    if (!batch) return false;
    EVALJOB_ASSERT(*batch < batches_.size(), "what waits is a batch of the manifest");
    EVALJOB_ASSERT(batches_[*batch].live == 0, "what waits is with nobody");
    if (!cheapest && !holder.leases.empty() && !is_worth_preparing(holder, *batch, now)) return false;
    waiting_->remove(*batch);
    grant(session, *batch, now, effects);
    return true;
}

/// Nothing else is leased until they are done.
std::optional<std::uint64_t> Coordinator::next_of_cheapest() const {
    for (const std::uint64_t batch : first_failures_.asked_first())
        if (!batches_[batch].finished && batches_[batch].live == 0) return batch;
    return std::nullopt;
}

void Coordinator::grant(SessionId session, std::uint64_t number, Milliseconds now, Effects& effects) {
    Holder& holder = holders_.at(session);
    Batch& batch = batches_[number];
    const LeaseNumber lease{options_.epoch, next_counter_++};
    EVALJOB_ASSERT(!ended_ && !published_, "a job that has ended leases nothing");
    EVALJOB_ASSERT(!batch.finished, "what is done is not leased");
    EVALJOB_ASSERT(batch.live < 2, "a batch is with two at most");
    EVALJOB_ASSERT(!holder.late, "a rank that is late gets no other before it shows that it works");
    EVALJOB_ASSERT(holder.leases.size() < holder.wanted, "a rank holds no more than it wants");
    EVALJOB_ASSERT(!outstanding_.contains(lease), "a lease's number is used once");
    if (batch.live > 0) {
        ++leases_twice_;
    } else if (batch.leased_once) {
        ++leases_again_;
    }
    batch.leased_once = true;
    ++batch.live;
    outstanding_[lease] = {number, session, now};
    if (holder.leases.empty()) holder.begun = now;
    holder.leases.insert(lease);
    refile(session, holder, now);
    if (!first_lease_) first_lease_ = now;
    effects.push_back(Send{session, Lease{lease, number}});
    const char* which = batch.live > 1 ? "second lease " : "lease ";
    effects.push_back(Note{which + text_of(lease) + ": batch " + std::to_string(number) + " to rank " +
                           std::to_string(holder.rank())});
}

/// A rank prepares a batch while it computes another, but not sooner than it must: until then the batch is anyone's.
/// Near the end it could be tied to a slow rank, while others will soon have nothing to do: then it waits for whoever
/// is free first.
bool Coordinator::is_worth_preparing(const Holder& holder, std::uint64_t batch, Milliseconds now) const {
    const bool alone = holders_.size() == 1 && options_.expected.world_size <= 1;
    if (alone || options_.schedule == Schedule::Static) return true;
    if (!costs_.known()) return is_worth_preparing_unseen(holder, batch);
    double ready = first_end(holder, now) - static_cast<double>(now);
    if (holder.wanted <= one_at_a_time && ready > ahead_ms) return false;
    for (auto it = std::next(holder.leases.begin()); it != holder.leases.end(); ++it)
        ready += predicted_ms(holder, outstanding_.at(*it).batch);
    return ready + predicted_ms(holder, batch) <= waiting_->cost() / capacity_;
}

/// At the beginning whoever comes first would else get the two longest. No rank prepares more than its equal part of
/// all, by whatever may turn out to tell the cost.
bool Coordinator::is_worth_preparing_unseen(const Holder& holder, std::uint64_t batch) const {
    double part = costs_.at_most(batches_[batch].features);
    for (const LeaseNumber number : holder.leases)
        part += costs_.at_most(batches_[outstanding_.at(number).batch].features);
    return part <= cost_at_start_ / std::max(1, options_.expected.world_size);
}

/// When no batch waits, an idle rank gets a second lease of the one that is predicted to end last, if it would end it
/// sooner by least_gain. The fastest idle rank comes first. All ranks are looked at, so only when something has
/// changed, or time has passed that by itself may decide otherwise: what a second lease falls short of being worth it
/// shrinks by no more than a millisecond each millisecond.
void Coordinator::run_twice(bool changed, Milliseconds now, Effects& effects) {
    if (ended_ || published_ || !options_.backup_leases || first_failures_.is_asking()) return;
    if (changed) look_again_ = may_look_;
    const bool anyone = !hungry_.empty() && hungry_.begin()->first == 0;
    if (!anyone || options_.schedule == Schedule::Static || !costs_.known() || waiting_->size() > 0) return;
    if (now < look_again_) return;
    may_look_ = now + static_cast<Milliseconds>(outstanding_.size() / stragglers_per_ms);
    struct Straggler {
        double ends = 0;
        std::uint64_t batch = 0;
    };
    std::vector<Straggler> stragglers;
    for (const auto& [session, holder] : holders_) {
        double ends = 0;
        for (const LeaseNumber number : holder.leases) {
            const std::uint64_t batch = outstanding_.at(number).batch;
            ends = ends == 0 ? first_end(holder, now) : ends + predicted_ms(holder, batch);
            if (!batches_[batch].finished && batches_[batch].live == 1) stragglers.push_back({ends, batch});
        }
    }
    std::sort(stragglers.begin(), stragglers.end(),
              [](const auto& a, const auto& b) { return std::pair(-a.ends, a.batch) < std::pair(-b.ends, b.batch); });
    std::vector<std::pair<double, SessionId>> idle;
    for (const auto& [held, session] : hungry_) {
        if (held > 0) break;
        idle.emplace_back(costs_.factor(holders_.at(session).rank()), session);
    }
    std::sort(idle.begin(), idle.end());
    auto next = idle.begin();
    double least_short = longest_patience_ms;
    for (const Straggler& straggler : stragglers) {
        if (next == idle.end()) break;
        const double here = static_cast<double>(now) + predicted_ms(holders_.at(next->second), straggler.batch);
        const double short_of_it = here + static_cast<double>(options_.least_gain) - straggler.ends;
        if (short_of_it > 0) {
            least_short = std::min(least_short, short_of_it);
        } else {
            grant((next++)->second, straggler.batch, now, effects);
        }
    }
    look_again_ = std::max(may_look_, now + static_cast<Milliseconds>(least_short));
}

/// A lease's time begins when its holder begins it. With a hung one go those that wait behind it.
void Coordinator::take_back_late(Milliseconds now, Effects& effects) {
    for (auto& [session, holder] : holders_) {
        if (holder.leases.empty()) continue;
        const Outstanding first = outstanding_.at(*holder.leases.begin());
        const double predicted = costs_.known() ? predicted_ms(holder, first.batch) : 0;
        const double patience = std::min(patience_factor * predicted, longest_patience_ms);
        if (now <= holder.begun + std::max<Milliseconds>(options_.min_lease, std::llround(patience))) continue;
        set_late(holder, std::min(first.granted, holder.late.value_or(first.granted)));
        for (const LeaseNumber number : std::set(holder.leases)) {
            effects.push_back(Note{"lease " + text_of(number) + " of " + describe(holder.hello) +
                                   " took too long; batch " + std::to_string(outstanding_.at(number).batch) +
                                   " is leased again"});
            take_back(number, now);
        }
        EVALJOB_ASSERT(holder.leases.empty(), "with a hung one go those that wait behind it");
    }
}

void Coordinator::set_late(Holder& holder, std::optional<Milliseconds> since) {
    holder.late = since;
    waiting_->set_present(holder.rank(), !since);
}

void Coordinator::end_lease(LeaseNumber number, Milliseconds now) {
    const auto it = outstanding_.find(number);
    if (it == outstanding_.end()) return;
    const Outstanding lease = it->second;
    outstanding_.erase(it);
    EVALJOB_ASSERT(batches_[lease.batch].live > 0, "a lease that ends was counted");
    --batches_[lease.batch].live;
    const auto at = holders_.find(lease.session);
    if (at == holders_.end()) return;
    Holder& holder = at->second;
    EVALJOB_ASSERT(holder.leases.contains(number), "a lease that is out is with its holder");
    if (*holder.leases.begin() == number) holder.begun = now;
    holder.leases.erase(number);
    refile(lease.session, holder, now);
}

void Coordinator::take_back(LeaseNumber number, Milliseconds now) {
    const auto it = outstanding_.find(number);
    if (it == outstanding_.end()) return;
    const std::uint64_t batch = it->second.batch;
    end_lease(number, now);
    if (!batches_[batch].finished && batches_[batch].live == 0) waiting_->put(batch);
}

/// Keeps hungry_ and the idle times, whenever what the holder has or wants has changed.
void Coordinator::refile(SessionId session, Holder& holder, Milliseconds now) {
    const bool filed = !holder.hungry || hungry_.erase({*holder.hungry, session}) == 1;
    EVALJOB_ASSERT(filed, "who wants leases is known by how many it holds");
    holder.hungry.reset();
    if (!holder.late && holder.leases.size() < holder.wanted) {
        holder.hungry = holder.leases.size();
        hungry_.insert({*holder.hungry, session});
    }
    balance_.waits(holder.rank(), unfinished_ > 0 && holder.hungry == 0U, now);
}

double Coordinator::predicted_ms(const Holder& holder, std::uint64_t batch) const {
    return costs_.predict(batches_[batch].features) * costs_.factor(holder.rank());
}

/// When the lease that the holder computes is predicted to end. One that is over its time is expected to take as long
/// again as it is over.
double Coordinator::first_end(const Holder& holder, Milliseconds now) const {
    EVALJOB_ASSERT(!holder.leases.empty(), "whoever computes holds a lease");
    const double predicted = predicted_ms(holder, outstanding_.at(*holder.leases.begin()).batch);
    const double left = predicted - static_cast<double>(now - holder.begun);
    return static_cast<double>(now) + std::abs(left);
}

void Coordinator::measure_capacity() {
    double capacity = 0;
    for (const auto& [session, holder] : holders_)
        if (holder.wanted > 0 && !holder.late) capacity += 1 / costs_.factor(holder.rank());
    EVALJOB_ASSERT(std::isfinite(capacity) && capacity >= 0, "every rank takes some time");
    capacity_ = std::max(capacity, 1e-9);
}

}  // namespace evaljob
