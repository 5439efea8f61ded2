// A coordinator with its volume, without sockets and clock: it opens the run's folder, carries out what the pure
// Coordinator decides, and writes the done marker. Its shells are CoordinatorServer and the simulation.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "api/manifest.hpp"
#include "evaljob-runner/coordinator/coordinator.hpp"
#include "evaljob-runner/launch/received_logs.hpp"
#include "evaljob-runner/manifest/log_names.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"

namespace evaljob {

class CoordinatorRun {
public:
    struct Outside {
        std::function<void(SessionId, const Message&)> send;
        std::function<void(SessionId)> close;  // the connection, once everything has been sent
        std::function<void(int exit_code, const std::string& message)> end_job;  // once: the job cannot go on
        std::function<void()> finished;     // once: the done marker stands and no rank is connected any more
        std::function<void()> commit_soon;  // commit() is due, once for however many batches have come by then
    };

    /// Settles the manifest, claims an epoch, takes the inventory of what is on the volume.
    static Result<std::unique_ptr<CoordinatorRun>> open(Manifest manifest, const std::string& shared_dir,
                                                        CoordinatorOptions options, Outside outside,
                                                        FailedBefore failed = {});

    /// What was found on the volume may end the run at once.
    void start(Milliseconds now);
    void message(SessionId session, const Message& message, Milliseconds now);
    void disconnected(SessionId session, Milliseconds now);
    /// Makes durable what reports wait for, and lets them count: what ranks of nodes that cannot write have sent, and
    /// the names of logs that nobody has reported from before.
    void commit(Milliseconds now);
    /// To be called at least once a second.
    void tick(Milliseconds now);

    /// Whether the session's records are written here.
    bool writes_for(SessionId session) const { return senders_.contains(session); }
    bool is_registered(SessionId session) const { return coordinator_.is_registered(session); }
    CoordinatorProgress progress(Milliseconds now) const { return coordinator_.progress(now); }
    std::uint32_t epoch() const { return epoch_; }
    /// Of the manifest, which stands in the folder from open() on.
    const std::string& identity() const { return identity_; }

private:
    CoordinatorRun(Manifest manifest, std::string shared_dir, const CoordinatorOptions& options,
                   const std::vector<BatchState>& batches, bool done, LogNames names, Outside outside);

    bool waits_for_commit(SessionId session, const Done& done) const;
    std::string log_of(SessionId session, const Done& done) const;
    void take_records(SessionId session, const Append& append, Milliseconds now);
    void apply(const Effects& effects, Milliseconds now);
    void write_marker(Milliseconds now);
    bool look_again(const Error& error, Milliseconds now);
    bool another_has_finished() const;
    void tell_of_the_end(Milliseconds now) const;
    void finish_when_alone(Milliseconds now);

    Manifest manifest_;
    std::string shared_dir_;
    std::string identity_;
    std::uint32_t epoch_;
    std::string run_id_;
    Coordinator coordinator_;
    bool done_;  // the marker stood when the folder was opened
    Outside outside_;
    ReceivedLogs received_;
    LogNames names_;
    std::set<SessionId> senders_;  // whose records are written here, or were to be
    std::vector<std::pair<SessionId, Done>> uncommitted_;
    struct Looking {
        Milliseconds since = 0;
        Milliseconds next = 0;
    };
    std::optional<Looking> looking_;  // for records that were reported, and do not show yet
    std::optional<Milliseconds> published_at_;
    bool told_finished_ = false;
};

}  // namespace evaljob
