// A rank's loop: leases in, batches to the engine, records to the log in groups, reports out, until there is no more
// work. Pure: what has happened → what is to be done. Its shells (rank/session with rank/work; the simulation) own
// threads, sockets, log, engine and clock. docs/decisions/0037
//
// Three hands do what it says, each one thing at a time and beside each other: one holds the connection, one calls the
// engine, one writes the log. What an answer is owed to says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "api/result.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/rank/evaluated_lease.hpp"
#include "evaljob-runner/rank/leases_ahead.hpp"
#include "evaljob-runner/rank/session_state.hpp"

namespace evaljob {

/// To whoever holds the connection: there is something to say, see messages().
struct Speak {};
/// Everything is done, and this process still computes what another rank has finished too.
struct Superfluous {};
/// The lease's batch will be begun: what can be done for it meanwhile. Owes no answer.
struct Prepare {
    Lease lease;
};
/// To the engine: begin() the lease's batch. Owes begun() or engine_failed().
struct BeginBatch {
    Lease lease;
};
/// To the engine: wait for any batch that was begun. Owes computed() or engine_failed().
struct AwaitBatch {};
/// To the engine, its last: nothing is left to compute, to write or to report.
struct StopWork {
    Result<SessionEnd> end;
};
using EngineStep = std::variant<BeginBatch, AwaitBatch, StopWork>;
/// To the log: make these durable together. Owes written() or write_failed().
struct WriteRecords {
    std::vector<EvaluatedLease> leases;
};
using RankEffect = std::variant<Speak, Superfluous, Prepare, EngineStep, WriteRecords>;
using RankEffects = std::vector<RankEffect>;

class RankLoop {
public:
    /// As many as it ever asks for.
    static constexpr std::size_t most_leases(std::size_t batches_at_once) {
        return batches_at_once + LeasesAhead::most;
    }

    /// `hello` is without `held`.
    explicit RankLoop(Hello hello) : session_(std::move(hello), 0) {}

    // The connection.

    /// A connection stands: what to say first on it.
    Hello greeting();
    RankEffects heard(const Message& message);
    void disconnected();
    /// What is to be said on the connection now; nothing where there is none. What was not heard is said again on the
    /// next one.
    std::vector<Message> messages();
    /// There is no coordinator any more, or no need for one. The first reason counts.
    RankEffects end(SessionEnd end);
    /// SIGTERM: what is not begun goes back, what is begun is finished and reported.
    RankEffects leave();

    // The engine.

    /// It can have so many batches begun, for now. Until then no lease is asked for: a lease's time begins when it is
    /// given.
    RankEffects ready(std::size_t batches_at_once);
    RankEffects begun();
    /// From now on it can have so many begun, be it fewer than it has.
    RankEffects computed(EvaluatedLease evaluated, std::size_t batches_at_once);
    /// No further batch can be had of it. What it has computed is written and reported.
    RankEffects engine_failed(Error error);

    // The log.

    /// writers: Node0: before ready(), what every connection's log begins with.
    void log_begins_with(std::string bytes) { session_.log_begins_with(std::move(bytes)); }
    /// One report for each lease of the group, in its order.
    RankEffects written(std::vector<Report> reports);
    /// Nothing is written any more.
    RankEffects write_failed(Error error);

    const SessionState& session() const { return session_; }
    /// Evaluated, and neither durable nor being written.
    std::size_t gathered() const { return gathered_.size(); }

private:
    enum class EngineIs { Starting, Free, Beginning, Awaited, Stopped };

    void say(std::vector<Message> messages, RankEffects& effects);
    void prepare(const Lease& lease, RankEffects& effects) const;
    void has_room_for(std::size_t batches, RankEffects& effects);
    void write(RankEffects& effects);
    void step_engine(RankEffects& effects);
    bool log_is_idle() const { return writing_.empty() && (gathered_.empty() || log_failed_); }
    bool goes_on() const { return !session_.ended() && !failure_; }
    void check() const;

    SessionState session_;
    LeasesAhead ahead_;
    bool connected_ = false;  // greeted, perhaps not welcomed yet
    std::vector<Message> to_say_;

    EngineIs engine_ = EngineIs::Starting;
    std::size_t batches_at_once_ = 0;
    std::size_t most_at_once_ = 0;  // that it could ever have
    std::set<LeaseNumber> begun_;   // the engine has them

    std::vector<EvaluatedLease> gathered_;
    std::vector<LeaseNumber> writing_;
    bool log_failed_ = false;
    std::optional<Error> failure_;
};

}  // namespace evaljob
