#include "tests/simulation/runner/ledger.hpp"

#include <algorithm>

namespace evaljob::simulation {

namespace {

constexpr Milliseconds shortest_lease = 60'000;

std::string text_of(const Lease& lease) {
    return "lease " + text_of(lease.number) + " of batch " + std::to_string(lease.batch);
}

}  // namespace

void Ledger::began(std::uint32_t epoch) {
    if (!coordinators_.empty() && epoch <= coordinators_.rbegin()->first)
        violated_("epoch " + std::to_string(epoch) + " was claimed after epoch " +
                  std::to_string(coordinators_.rbegin()->first));
    // The one before may live on, but nobody waits for it any more.
    for (const auto& [earlier, coordinator] : coordinators_) forgotten(earlier);
    coordinators_[epoch];
}

void Ledger::wanted(SessionId session, std::uint32_t leases) {
    if (leases > most_leases_)
        violated_("a rank asks for " + std::to_string(leases) + " leases, more than the " +
                  std::to_string(most_leases_) + " that a kill may cost");
    std::uint32_t& before = wanted_[session];
    if (before > 0 && leases > before) ++asked_for_more_;
    before = leases;
}

void Ledger::granted(std::uint32_t epoch, SessionId session, const Lease& lease, Milliseconds now) {
    Coordinator& coordinator = coordinators_[epoch];
    if (lease.number.epoch != epoch || lease.number.counter <= coordinator.last_counter)
        violated_(text_of(lease) + " does not follow " + text_of(LeaseNumber{epoch, coordinator.last_counter}));
    coordinator.last_counter = lease.number.counter;
    if (leases_.contains(lease.number)) violated_(text_of(lease) + ": the number was used before");
    check_again(epoch, session, lease, now);
    const auto held = std::count_if(leases_.begin(), leases_.end(), [&](const auto& entry) {
        const bool finished = coordinator.finished.contains(entry.second.batch);  // under another's lease
        return entry.first.epoch == epoch && entry.second.active && entry.second.session == session &&
               !is_late(entry.second, now) && !finished;
    });
    if (static_cast<std::size_t>(held) >= wanted_[session])
        violated_(text_of(lease) + " is one too many for its rank, which holds " + std::to_string(held) +
                  " and wants " + std::to_string(wanted_[session]));
    // A superseded coordinator's leases are ones that nobody counts on.
    const bool alone = epoch == coordinators_.rbegin()->first;
    leases_[lease.number] = {lease.batch, session, now, true, false};
    if (!alone) give_up(leases_[lease.number]);
}

void Ledger::check_again(std::uint32_t epoch, SessionId session, const Lease& lease, Milliseconds now) {
    const Coordinator& coordinator = coordinators_[epoch];
    const auto recorded = recorded_.find(lease.batch);
    if (recorded != recorded_.end() && recorded->second <= coordinator.read_at && !excused_)
        violated_(text_of(lease) + ": its records were durable before this coordinator read the logs");
    if (coordinator.finished.contains(lease.batch))
        violated_(text_of(lease) + ": this coordinator has heard that it is done");
    std::string held_under;
    for (auto& [number, earlier] : leases_) {
        if (number.epoch != epoch || !earlier.active || earlier.batch != lease.batch) continue;
        if (is_late(earlier, now)) {
            give_up(earlier);
            continue;
        }
        const std::string name = text_of(number);
        if (!held_under.empty()) violated_(text_of(lease) + " is a third one, beside " + held_under + " and " + name);
        if (earlier.session == session) violated_(text_of(lease) + ": its rank holds it already, under " + name);
        held_under = name;
    }
    if (held_under.empty()) return;
    ++doubled_;
    for (const auto& [number, other] : leases_)
        if (number.epoch == epoch && other.active && other.session == session && !is_late(other, now) &&
            !coordinator.finished.contains(other.batch))
            violated_(text_of(lease) + " is a second one, for a rank that is not idle: it holds " + text_of(number) +
                      " of batch " + std::to_string(other.batch));
}

bool Ledger::is_held(std::uint32_t epoch, std::uint64_t batch) const {
    return std::any_of(leases_.begin(), leases_.end(), [&](const auto& entry) {
        return entry.first.epoch == epoch && entry.second.active && entry.second.batch == batch;
    });
}

bool Ledger::is_late(const Granted& granted, Milliseconds now) {
    return granted.late || now - granted.at > shortest_lease;
}

void Ledger::ticked(std::uint32_t epoch, Milliseconds now) {
    // With the one that a rank computes go those that wait behind it.
    std::set<SessionId> late;
    for (auto& [number, granted] : leases_) {
        if (number.epoch != epoch) continue;
        granted.late = is_late(granted, now);
        if (granted.late && granted.active) late.insert(granted.session);
    }
    for (auto& [number, granted] : leases_)
        if (number.epoch == epoch && late.contains(granted.session)) granted.late = true;
}

void Ledger::give_up(Granted& granted) {
    if (!granted.active) return;
    granted.active = false;
    ++given_up_;
}

void Ledger::adopted(std::uint32_t epoch, SessionId session, const std::vector<HeldLease>& held, Milliseconds now) {
    for (const HeldLease& lease : held) {
        const auto it = leases_.find(lease.lease);
        if (it == leases_.end()) continue;
        Granted& granted = it->second;
        if (it->first.epoch != epoch) {  // of an earlier coordinator: this one goes on with it, unless it is done
            taken_over_.insert({epoch, granted.batch});
            continue;
        }
        if (!granted.active) continue;
        granted.active = false;
        // The other one's it is alone, from now on.
        if (is_held(epoch, granted.batch) || taken_over_.contains({epoch, granted.batch})) {
            ++given_up_;
            continue;
        }
        granted = {granted.batch, session, now, true, false};
    }
}

void Ledger::released(std::uint32_t epoch, SessionId session) {
    for (auto& [number, granted] : leases_)
        if (number.epoch == epoch && granted.session == session) give_up(granted);
}

void Ledger::returned(LeaseNumber number) {
    if (const auto it = leases_.find(number); it != leases_.end()) it->second.active = false;
}

void Ledger::done_heard(std::uint32_t epoch, const Done& done, Milliseconds now) {
    coordinators_[epoch].finished.insert(done.batch);
    const auto it = leases_.find(done.lease);
    if (it == leases_.end()) return;
    it->second.active = false;
    // The next one's time begins now: by a clock that has jumped backwards, that is before it was granted.
    for (auto& [number, other] : leases_)
        if (number.epoch == epoch && other.active && other.session == it->second.session)
            other.at = std::min(other.at, now);
}

void Ledger::forgotten(std::uint32_t epoch) {
    for (auto& [number, granted] : leases_)
        if (number.epoch == epoch) give_up(granted);
}

void Ledger::recorded(const Lease& lease) { recorded_.try_emplace(lease.batch, ++clock_); }

std::uint64_t Ledger::evaluated_again() const {
    std::uint64_t again = 0;
    for (const auto& [batch, times] : evaluations_) again += times - 1;
    return again;
}

void Ledger::check_end() const {
    if (evaluated_again() > given_up_ + doubled_ && !excused_)
        violated_(std::to_string(evaluated_again()) + " batches were evaluated again, but only " +
                  std::to_string(given_up_) + " leases were given up, and " + std::to_string(doubled_) +
                  " leased twice");
}

}  // namespace evaljob::simulation
