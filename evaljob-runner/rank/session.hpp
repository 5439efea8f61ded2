// The shell around a rank's loop: its lock, and the connection to the coordinator on a thread of its own, which
// registers, keeps up heartbeats, and comes back after a lost connection or a new coordinator. What the loop wants of
// the engine, of whoever prepares and of whoever writes is handed to them. Thread rule: the public functions may be
// called from any thread but the session's; next_step() from the one that calls the engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "evaljob-runner/rank/rank_loop.hpp"

namespace evaljob {

struct SessionOptions {
    Hello hello;  // without `held`
    std::string master_addr;
    std::int32_t master_port = 0;
    std::string shared_dir;                   // where the done marker will stand; empty: on a volume not seen here
    std::chrono::seconds ready_timeout{600};  // without a coordinator for so long, the rank gives up
    /// Everything is done, and this process still computes what another rank has finished too. On the session's thread.
    std::function<void()> superfluous;
};

/// Who prepares batches and writes records. Called on any thread, and under the session's lock: neither may wait, nor
/// call the session.
struct RankHands {
    std::function<void(const Lease&)> prepare;
    std::function<void(std::vector<EvaluatedLease>)> write;
};

class Session {
public:
    explicit Session(SessionOptions options);
    ~Session();  // closes the connection

    /// Blocks until the coordinator has accepted this process.
    std::variant<Welcome, SessionEnd> wait_welcome();
    /// From now on. When this returns, nobody is called any more who was given before.
    void give_to(RankHands hands);
    using Event = std::function<RankEffects(RankLoop&)>;
    /// Something has happened: the loop hears of it, and what it wants done is handed out.
    void happens(const Event& event);
    /// Blocks until the loop wants something of the engine.
    EngineStep next_step();
    /// What this rank waits for before it can go on, for the coordinator to tell; empty: nothing any more. Any thread.
    void waits_for(std::string what);
    /// writers: Node0: before the engine is ready.
    void log_begins_with(std::string bytes);
    /// Tells the coordinator that the job cannot go on, and waits (bounded) until that is sent.
    void abort(int exit_code, const std::string& message);
    /// The group that this process, which others find at `address`, is put into; none when that takes longer.
    std::optional<Group> join_group(const std::string& address, std::chrono::milliseconds limit);
    /// Waits (bounded; longer where node 0 writes) until every done() has been acknowledged.
    void settle();

private:
    class Shell;
    std::unique_ptr<Shell> shell_;
};

}  // namespace evaljob
