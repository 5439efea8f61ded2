// What must hold of leases and records whatever happens, kept beside the run: epochs and lease numbers never repeat, a
// batch is leased again only for a reason, or a second time to somebody idle, never a third; what was made durable is
// never evaluated again by a later coordinator.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "evaljob-runner/coordinator/coordinator.hpp"
#include "tests/simulation/runner/world.hpp"

namespace evaljob::simulation {

class Ledger {
public:
    /// A rank may ask for so many leases at most.
    Ledger(std::size_t most_leases, std::function<void(const std::string&)> violated)
        : most_leases_(most_leases), violated_(std::move(violated)) {}

    /// A coordinator has claimed an epoch.
    void began(std::uint32_t epoch);
    /// It had read the logs at this time of the ledger: see mark().
    void read_logs(std::uint32_t epoch, std::uint64_t mark) { coordinators_[epoch].read_at = mark; }
    std::uint64_t mark() const { return clock_; }

    /// The coordinator has heard that the session's holder wants so many.
    void wanted(SessionId session, std::uint32_t leases);
    void granted(std::uint32_t epoch, SessionId session, const Lease& lease, Milliseconds now);
    /// The session's holder comes back with these leases; their time begins again.
    void adopted(std::uint32_t epoch, SessionId session, const std::vector<HeldLease>& held, Milliseconds now);
    /// Of this coordinator: whatever the session held may be handed out again.
    void released(std::uint32_t epoch, SessionId session);
    /// Leases that last too long may be taken back at this tick; the clock may jump back behind it.
    void ticked(std::uint32_t epoch, Milliseconds now);
    void returned(LeaseNumber number);
    void done_heard(std::uint32_t epoch, const Done& done, Milliseconds now);
    /// Everything held anywhere may be evaluated again: the coordinator is gone, or another has begun beside it.
    void forgotten(std::uint32_t epoch);

    /// A rank begins to write the records of a lease.
    void evaluated(const Lease& lease) { ++evaluations_[lease.batch]; }
    /// They are durable; from now on they count.
    void recorded(const Lease& lease);
    /// Logs may have been passed over: the rule that nothing durable is evaluated again is off from here.
    void excuse() { excused_ = true; }

    /// How often a rank asked for more than it had asked for before.
    std::uint64_t asked_for_more() const { return asked_for_more_; }
    std::uint64_t leased_twice() const { return doubled_; }
    bool is_recorded(std::uint64_t batch) const { return recorded_.contains(batch); }
    const std::map<std::uint64_t, std::uint64_t>& recorded_batches() const { return recorded_; }
    std::uint64_t evaluated_again() const;
    /// A lease that was evaluated again must have been given up by somebody.
    void check_end() const;

private:
    struct Granted {
        std::uint64_t batch = 0;
        SessionId session = 0;
        Milliseconds at = 0;
        bool active = true;
        bool late = false;
    };
    struct Coordinator {
        std::uint64_t read_at = 0;
        std::uint64_t last_counter = 0;
        std::set<std::uint64_t> finished;
    };
    void check_again(std::uint32_t epoch, SessionId session, const Lease& lease, Milliseconds now);
    bool is_held(std::uint32_t epoch, std::uint64_t batch) const;
    static bool is_late(const Granted& granted, Milliseconds now);
    void give_up(Granted& granted);

    std::size_t most_leases_;
    std::function<void(const std::string&)> violated_;
    std::map<SessionId, std::uint32_t> wanted_;
    std::uint64_t asked_for_more_ = 0;
    std::map<LeaseNumber, Granted> leases_;
    std::map<std::uint32_t, Coordinator> coordinators_;
    std::map<std::uint64_t, std::uint64_t> recorded_;  // batch → when, by clock_
    std::map<std::uint64_t, std::uint64_t> evaluations_;
    std::set<std::pair<std::uint32_t, std::uint64_t>> taken_over_;  // epoch and batch of a lease of an earlier epoch
    std::uint64_t clock_ = 0;                                       // rises with every record
    std::uint64_t given_up_ = 0;
    std::uint64_t doubled_ = 0;  // second leases, while the first one's holder went on
    bool excused_ = false;
};

}  // namespace evaljob::simulation
