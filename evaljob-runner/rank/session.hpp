// A rank's connection to the coordinator, on a thread of its own: it registers, keeps up heartbeats, comes back after a
// lost connection or a new coordinator, and hands leases to the thread that computes. Thread rule: the public functions
// may be called from the computing thread; everything else runs on the session's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "evaljob-runner/rank/session_state.hpp"

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

class Session {
public:
    explicit Session(SessionOptions options);
    ~Session();  // closes the connection

    /// Blocks until the coordinator has accepted this process.
    std::variant<Welcome, SessionEnd> wait_welcome();
    /// How many leases to hold at a time; none before this was called, for a lease's time begins when it is given.
    void want(std::uint32_t leases);
    /// `tell` is told of each lease as it comes, on the session's thread and before next_lease() can have it. It must
    /// not wait, nor call this session. An empty one ends that; when this returns, nobody is told any more.
    void when_leased(std::function<void(const Lease&)> tell);
    /// What this rank waits for before it can go on, for the coordinator to tell; empty: nothing any more. Any thread.
    void waits_for(std::string what);
    LeaseCounts lease_counts();
    /// Blocks until there is a lease.
    std::variant<Lease, SessionEnd> next_lease();
    /// This process cannot go on: next_lease() blocks no more, but ends with status 1. Any thread.
    void interrupt();
    /// A lease that is there already.
    std::optional<Lease> lease_at_hand();
    /// writers: Node0: before the first done().
    void log_begins_with(std::string bytes);
    /// The lease's records are durable, or are to be made so by node 0.
    void done(Report report);
    /// Tells the coordinator that the job cannot go on, and waits (bounded) until that is sent.
    void abort(int exit_code, const std::string& message);
    /// The group that this process, which others find at `address`, is put into; none when that takes longer.
    std::optional<Group> join_group(const std::string& address, std::chrono::milliseconds limit);
    /// Waits (bounded; longer where node 0 writes) until every done() has been acknowledged.
    void settle();

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace evaljob
