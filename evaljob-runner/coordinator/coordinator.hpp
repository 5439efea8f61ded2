// The coordinator: hands out the manifest's batches as leases and learns what is done. Pure: a message and the time →
// effects; its shell (launch/coordinator_server) owns the sockets, the clock and the volume.
//
// Soft state: all of it is rebuilt from the manifest and the shard logs when another coordinator takes over with the
// next epoch. A lease is handed out again when its holder's connection is lost, when its holder is silent, and when it
// outlasts max(min_lease, 5 × its predicted time), because a heartbeat can outlive a hung device; whoever was so late
// gets no other before it shows that it works, else a hung device would get its own batch again for ever.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "evaljob-runner/coordinator/contract_check.hpp"
#include "evaljob-runner/coordinator/gathering.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob {

struct CoordinatorOptions {
    ExpectedContract expected;
    std::string token;
    std::string identity;
    std::uint32_t epoch = 1;
    Milliseconds heartbeat = 2'000;
    Milliseconds silence = 10'000;  // without a word for so long, a holder is lost
    Milliseconds min_lease = 60'000;
};

/// A batch as the coordinator sees it: how much it will cost, and whether its records are on the volume already.
struct BatchState {
    std::uint32_t items = 0;
    bool finished = false;
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
    std::uint64_t leases_again = 0;  // of those, for a batch that had been leased before
    bool rendezvous_ready = false;   // every rank of the job has registered once
    bool finished = false;
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
    std::size_t connected() const { return holders_.size(); }

private:
    struct Holder {
        Hello hello;
        Milliseconds last_heard = 0;
        std::uint32_t wanted = 0;
        /// When a lease that took too long was given; it gets no other before it says Done or Want.
        std::optional<Milliseconds> late;
        std::set<LeaseNumber> leases;
    };
    struct Outstanding {
        std::uint64_t batch = 0;
        SessionId session = 0;
        Milliseconds begun = 0;
        Milliseconds deadline = 0;
    };
    struct RankRecord {
        std::uint64_t samples = 0;
        std::int64_t compute_us = 0;
        bool registered = false;
    };

    void on_hello(SessionId session, const Hello& hello, Milliseconds now, Effects& effects);
    std::optional<Refused> refusal_of(const Hello& hello) const;
    void enlist(SessionId session, const Hello& hello, Milliseconds now, Effects& effects);
    void on_done(SessionId session, const Done& done, Milliseconds now, Effects& effects);
    void adopt_held(SessionId session, Holder& holder, Milliseconds now);
    void lease_out(Milliseconds now, Effects& effects);
    void form_group(Milliseconds now, Effects& effects);
    void grant(SessionId session, Holder& holder, Milliseconds now, Effects& effects);
    void take_back(LeaseNumber number);
    void lose(SessionId session, const std::string& why, Effects& effects);
    void end_job(int exit_code, const std::string& message, Effects& effects);
    Milliseconds deadline_of(std::uint64_t batch, Milliseconds now) const;
    void requeue(std::uint64_t batch);
    bool is_outstanding(std::uint64_t batch) const;
    std::vector<Hello> connected_hellos() const;
    Milliseconds holding(const Holder& holder, Milliseconds now) const;

    CoordinatorOptions options_;
    std::vector<BatchState> batches_;
    std::set<std::pair<std::int64_t, std::uint64_t>> pending_;  // (-cost, batch): longest first, then in order
    std::set<std::uint64_t> leased_once_;
    std::map<LeaseNumber, Outstanding> outstanding_;
    std::map<SessionId, Holder> holders_;
    Gathering gathering_;
    std::map<std::int32_t, RankRecord> ranks_;
    std::uint64_t next_counter_ = 1;
    std::uint64_t unfinished_ = 0;
    std::uint64_t items_total_ = 0;
    std::uint64_t items_done_ = 0;
    std::uint64_t items_resumed_ = 0;
    std::uint64_t items_failed_ = 0;
    std::uint64_t leases_again_ = 0;
    double us_per_item_ = 0;  // refit while the run goes on
    std::optional<Milliseconds> first_lease_;
    std::optional<Milliseconds> begun_;  // the first tick
    Milliseconds last_done_ = 0;
    std::optional<EndJob> ended_;
    bool published_ = false;
};

}  // namespace evaljob
