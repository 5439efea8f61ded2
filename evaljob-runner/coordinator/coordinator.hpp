// The coordinator: hands out the manifest's batches as leases and learns what is done. Pure: a message and the time →
// effects; its shell (launch/coordinator_server) owns the sockets, the clock and the volume.
//
// Soft state: all of it is rebuilt from the manifest and the shard logs when another coordinator takes over with the
// next epoch. A lease is handed out again when its holder's connection is lost, when its holder is silent, and when its
// holder computes it for longer than max(min_lease, 5 × its predicted time), because a heartbeat can outlive a hung
// device; whoever was so late gets no other before it shows that it works, else a hung device would get its own batch
// again for ever. A rank computes its leases in the order in which it got them: the others' time begins when theirs
// does.
//
// The order in which batches are leased is Waiting's. When none waits, whoever has nothing to do gets a second lease of
// a batch that it is predicted to end well before its holder: what the other one does is then dropped.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/evaljob.hpp"
#include "evaljob-runner/coordinator/balance.hpp"
#include "evaljob-runner/coordinator/contract_check.hpp"
#include "evaljob-runner/coordinator/cost_model.hpp"
#include "evaljob-runner/coordinator/first_failures.hpp"
#include "evaljob-runner/coordinator/gathering.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/coordinator/waiting.hpp"

namespace evaljob {

struct CoordinatorOptions {
    ExpectedContract expected;
    std::string token;
    std::string identity;
    std::uint32_t epoch = 1;
    Milliseconds heartbeat = 2'000;
    Milliseconds silence = 10'000;  // without a word for so long, a holder is lost
    Milliseconds min_lease = 60'000;
    Schedule schedule = Schedule::Dynamic;
    Milliseconds absence = 60'000;  // Static: after so long, a rank that never came is lost
    Milliseconds least_gain = 200;  // a batch is not run twice for less
    // An engine has several batches at a time: how long one takes is then no measure of the work, nor of a bound.
    bool several_at_once = false;
    bool backup_leases = true;  // whether one is run twice at all
};

/// A batch as the coordinator sees it: what tells how much it will cost, and whether its records are on the volume
/// already.
struct BatchState {
    std::uint32_t items = 0;
    bool finished = false;
    std::uint32_t kind = 0;   // of work: the dataset
    std::uint64_t bytes = 0;  // of its items' input; 0: not known
};

struct Send {
    SessionId session = 0;
    Message message;
};
struct CloseSession {
    SessionId session = 0;
};
/// The job cannot go on: every process must end with this.
struct EndJob {
    int exit_code = 1;
    std::string message;
};
/// Every batch is finished: write the done marker, then call published().
struct WriteDoneMarker {};
struct Note {
    std::string text;  // for the log
};
using Effect = std::variant<Send, CloseSession, EndJob, WriteDoneMarker, Note>;
using Effects = std::vector<Effect>;

struct RankProgress {
    std::int32_t rank = 0;
    bool connected = false;
    std::uint64_t samples = 0;
    std::int64_t compute_us = 0;
    Milliseconds holding = 0;  // since it was given the oldest lease that it has not finished
    Milliseconds idle = 0;     // it wanted a lease, and there was none
    double slowness = 1;       // how many times an ordinary rank's time it takes
};

/// How close the run was to what no schedule can beat. Zero before it is known.
struct BalanceProgress {
    double makespan_ms = 0;  // from the first lease to the last batch that was done
    double bound_ms = 0;     // see bound_ms(), of what is done; stays 0 with several_at_once
    double idle_ms = 0;      // of all ranks
};

struct CoordinatorProgress {
    std::uint64_t samples_done = 0;
    std::uint64_t samples_total = 0;
    std::uint64_t samples_resumed = 0;  // found on the volume at the start
    std::uint64_t samples_failed = 0;
    double samples_per_second = 0;  // since the first lease of this coordinator
    double eta_seconds = 0;
    std::int64_t idle_seconds = 0;  // since a sample was last finished, or this coordinator began; 0 when all are done
    std::uint64_t batches = 0;
    std::uint64_t leases = 0;        // handed out by this coordinator
    std::uint64_t leases_again = 0;  // of those, for a batch that had been leased before and was given up
    bool rendezvous_ready = false;   // every rank of the job has registered once
    bool finished = false;
    std::uint64_t leases_twice = 0;  // of all leases, those for a batch that another rank held at that time
    BalanceProgress balance;
    std::string waiting_for;          // what a rank waits for before it can go on; empty: none does
    std::vector<RankProgress> ranks;  // those that ever registered, by rank
};

class Coordinator {
public:
    Coordinator(CoordinatorOptions options, const std::vector<BatchState>& batches);

    /// What to do before the first message: WriteDoneMarker when nothing is left to evaluate.
    Effects start();
    Effects message(SessionId session, const Message& message, Milliseconds now);
    Effects disconnected(SessionId session, Milliseconds now);
    /// To be called at least once a second.
    Effects tick(Milliseconds now);
    /// The done marker stands: tells every rank.
    Effects published();

    CoordinatorProgress progress(Milliseconds now) const;
    bool finished() const { return published_; }
    bool is_registered(SessionId session) const { return holders_.contains(session); }
    /// Whose session it is; null when no rank is registered under it.
    const RankContract* contract_of(SessionId session) const {
        const auto holder = holders_.find(session);
        return holder == holders_.end() ? nullptr : &holder->second.hello.contract;
    }
    std::size_t connected() const { return holders_.size(); }

private:
    struct Batch {
        BatchFeatures features;
        bool finished = false;
        bool leased_once = false;
        std::uint8_t live = 0;  // leases of it
    };
    struct Holder {
        Hello hello;
        Milliseconds last_heard = 0;
        std::string waiting_for;
        std::uint32_t wanted = 0;
        /// When a lease that took too long was given; it gets no other before it says Done or Want.
        std::optional<Milliseconds> late;
        std::set<LeaseNumber> leases;       // computed in this order
        Milliseconds begun = 0;             // the first of them
        std::optional<std::size_t> hungry;  // how many leases it holds, while it wants more
        std::int32_t rank() const { return hello.contract.rank; }
    };
    struct Outstanding {
        std::uint64_t batch = 0;
        SessionId session = 0;
        Milliseconds granted = 0;
    };
    struct RankRecord {
        std::uint64_t samples = 0;
        std::int64_t compute_us = 0;
        bool registered = false;
    };

    // coordinator.cpp: what is said.
    void on_hello(SessionId session, const Hello& hello, Milliseconds now, Effects& effects);
    std::optional<Refused> refusal_of(const Hello& hello) const;
    void enlist(SessionId session, const Hello& hello, Milliseconds now, Effects& effects);
    void on_done(SessionId session, const Done& done, Milliseconds now, Effects& effects);
    void finish(std::uint64_t batch, const Done& done, std::int32_t rank, Milliseconds now, Effects& effects);
    void watch_failures(std::uint64_t batch, const Done& done, Effects& effects);
    void adopt_held(SessionId session, Holder& holder, Milliseconds now);
    void form_group(Milliseconds now, Effects& effects);
    void lose(SessionId session, const std::string& why, Milliseconds now, Effects& effects);
    void end_job(int exit_code, const std::string& message, Effects& effects);
    std::vector<Hello> rivals_of(const Hello& hello) const;

    // leases.cpp: who gets which batch.
    void lease_out(std::optional<SessionId> asked, Milliseconds now, Effects& effects);
    bool grant_next(SessionId session, Milliseconds now, Effects& effects);
    std::optional<std::uint64_t> next_of_cheapest() const;
    void grant(SessionId session, std::uint64_t batch, Milliseconds now, Effects& effects);
    bool is_worth_preparing(const Holder& holder, std::uint64_t batch, Milliseconds now) const;
    bool is_worth_preparing_unseen(const Holder& holder, std::uint64_t batch) const;
    void run_twice(bool changed, Milliseconds now, Effects& effects);
    void take_back_late(Milliseconds now, Effects& effects);
    void end_lease(LeaseNumber number, Milliseconds now);
    void take_back(LeaseNumber number, Milliseconds now);
    void set_late(Holder& holder, std::optional<Milliseconds> since);
    void refile(SessionId session, Holder& holder, Milliseconds now);
    double predicted_ms(const Holder& holder, std::uint64_t batch) const;
    double first_end(const Holder& holder, Milliseconds now) const;
    void measure_capacity();

    // progress.cpp.
    Milliseconds holding(const Holder& holder, Milliseconds now) const;
    BalanceProgress balance() const;

    CoordinatorOptions options_;
    std::vector<Batch> batches_;
    CostModel costs_;
    std::unique_ptr<Waiting> waiting_;
    Balance balance_;
    FirstFailures first_failures_{false};
    std::map<LeaseNumber, Outstanding> outstanding_;
    std::map<SessionId, Holder> holders_;
    std::set<std::pair<std::size_t, SessionId>> hungry_;  // who wants more, those with fewest leases first
    Gathering gathering_;
    std::map<std::int32_t, RankRecord> ranks_;
    double cost_at_start_ = 0;  // of all that is to be done, in proportion
    double capacity_ = 1;       // of all ranks that take leases, in ordinary ones; measured at each tick
    double longest_ms_ = 0;
    // For batches to run twice: when time alone may make one worth it, and, whatever changes, not before.
    Milliseconds look_again_ = 0;
    Milliseconds may_look_ = 0;
    std::uint64_t next_counter_ = 1;
    std::uint64_t unfinished_ = 0;
    std::uint64_t items_total_ = 0;
    std::uint64_t items_done_ = 0;
    std::uint64_t items_resumed_ = 0;
    std::uint64_t items_failed_ = 0;
    std::uint64_t leases_again_ = 0;
    std::uint64_t leases_twice_ = 0;
    std::optional<Milliseconds> first_lease_;
    std::optional<Milliseconds> begun_;  // the first tick
    Milliseconds last_done_ = 0;
    std::optional<EndJob> ended_;
    bool published_ = false;
};

}  // namespace evaljob
