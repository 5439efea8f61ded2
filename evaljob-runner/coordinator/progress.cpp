// What the coordinator tells of itself.
#include <algorithm>

#include "api/assert.hpp"
#include "evaljob-runner/coordinator/coordinator.hpp"

namespace evaljob {

Milliseconds Coordinator::holding(const Holder& holder, Milliseconds now) const {
    Milliseconds oldest = holder.late.value_or(now);
    for (const LeaseNumber& number : holder.leases)
        if (const auto lease = outstanding_.find(number); lease != outstanding_.end())
            oldest = std::min(oldest, lease->second.granted);
    return now - oldest;
}

BalanceProgress Coordinator::balance() const {
    BalanceProgress b;
    if (!first_lease_ || last_done_ <= *first_lease_) return b;
    b.makespan_ms = static_cast<double>(last_done_ - *first_lease_);
    if (options_.several_at_once) return b;
    b.bound_ms = balance_.bound([&](std::int32_t rank) { return 1 / costs_.factor(rank); }, longest_ms_, *first_lease_);
    return b;
}

CoordinatorProgress Coordinator::progress(Milliseconds now) const {
    CoordinatorProgress p;
    p.samples_done = items_done_;
    p.samples_total = items_total_;
    p.samples_resumed = items_resumed_;
    p.samples_failed = items_failed_;
    EVALJOB_ASSERT(items_done_ >= items_resumed_, "what was found at the start stays done");
    const Milliseconds until = unfinished_ == 0 ? last_done_ : now;
    const double seconds = first_lease_ ? static_cast<double>(until - *first_lease_) / 1000.0 : 0;
    if (seconds > 0) p.samples_per_second = static_cast<double>(items_done_ - items_resumed_) / seconds;
    if (p.samples_per_second > 0)
        p.eta_seconds = static_cast<double>(items_total_ - items_done_) / p.samples_per_second;
    if (begun_ && unfinished_ > 0) p.idle_seconds = (now - std::max(*begun_, last_done_)) / 1000;
    p.batches = batches_.size();
    p.leases = next_counter_ - 1;
    p.leases_again = leases_again_;
    p.leases_twice = leases_twice_;
    p.finished = published_;
    p.balance = balance();
    std::map<std::int32_t, const Holder*> connected;
    for (const auto& [session, holder] : holders_) connected[holder.rank()] = &holder;
    std::int32_t registered = 0;
    for (const auto& [rank, record] : ranks_) {
        registered += record.registered ? 1 : 0;
        RankProgress one{rank, false, record.samples, record.compute_us, 0};
        if (const auto it = connected.find(rank); it != connected.end()) {
            one.connected = true;
            if (p.waiting_for.empty()) p.waiting_for = it->second->waiting_for;
            one.holding = holding(*it->second, now);
        }
        one.idle = balance_.idle(rank, now);
        one.slowness = costs_.factor(rank);
        p.balance.idle_ms += static_cast<double>(one.idle);
        p.ranks.push_back(one);
    }
    p.rendezvous_ready = registered >= options_.expected.world_size;
    return p;
}

}  // namespace evaljob
