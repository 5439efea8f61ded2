// What a rank's session knows and decides, without sockets, clock and threads: which leases it holds, what it has
// reported and nobody has acknowledged, what it says to a coordinator that comes back. Pure; a part of rank/rank_loop.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob {

/// Why there is no more work.
struct SessionEnd {
    int exit_code = 0;    // 0: everything is done
    std::string message;  // for a person; empty when done
};

/// The leases of a rank that has room for another batch.
struct LeaseCounts {
    std::size_t at_hand = 0;  // to be computed
    std::size_t taken = 0;    // computed by now or not; the coordinator has not acknowledged them, so replaced none
};

/// A batch that was evaluated.
struct Report {
    Done done;
    std::string log_bytes;  // writers: Node0: of the rank's log, for node 0 to write; empty: they are durable already
};

class SessionState {
public:
    /// `hello` is without `held`; `leases` is how many to hold at a time, until want() says otherwise.
    SessionState(Hello hello, std::uint32_t leases) : hello_(std::move(hello)), leases_(leases) {}

    // The connection.

    /// The first message on every new connection.
    Hello greeting() const;
    /// What to say in return.
    std::vector<Message> take(const Message& message);
    void disconnected() { connected_ = false; }

    // The work.

    /// How many leases to hold at a time from now on. What to say.
    std::vector<Message> want(std::uint32_t leases);
    LeaseCounts lease_counts() const;
    /// The next lease to compute; none when none is there.
    std::optional<Lease> next_lease();
    /// writers: Node0: every connection's log begins with these bytes.
    void log_begins_with(std::string bytes) { log_start_ = std::move(bytes); }
    /// To be said to the coordinator, now and on later connections until it is acknowledged.
    void done(Report report);
    /// What done() has brought and this connection has not heard yet.
    std::vector<Message> unsaid();
    /// SIGTERM: what is not begun goes back; the batch that is being computed is finished and reported. What to say.
    std::vector<Message> leave();

    /// The first reason counts.
    void end(SessionEnd end);

    const std::optional<Welcome>& welcome() const { return welcome_; }
    /// The one that this process was last put into.
    const std::optional<Group>& group() const { return group_; }
    const std::optional<SessionEnd>& ended() const { return end_; }
    /// Everything is done, and a batch is still being computed: another rank has finished it too.
    bool is_superfluous() const { return end_ && end_->exit_code == 0 && held_.size() > queue_.size(); }
    /// Nobody is left to wait for: everything reported is acknowledged, or there is no connection.
    bool settled() const { return unacknowledged_.empty() || !connected_; }
    /// Queued or being computed → batch.
    const std::map<LeaseNumber, std::uint64_t>& held() const { return held_; }

private:
    struct Unacknowledged {
        Report report;
        bool said = false;  // on this connection
    };

    void say_bytes(std::string_view bytes, std::vector<Message>& say);
    std::vector<Message> take_welcome(const Welcome& welcome);
    void take_lease(const Lease& lease);

    Hello hello_;
    std::uint32_t leases_;
    std::optional<Welcome> welcome_;
    std::optional<Group> group_;
    std::optional<SessionEnd> end_;
    bool connected_ = false;
    std::deque<Lease> queue_;  // not begun
    std::map<LeaseNumber, std::uint64_t> held_;
    std::map<LeaseNumber, Unacknowledged> unacknowledged_;
    std::string log_start_;
    std::uint64_t log_offset_ = 0;  // on this connection
};

}  // namespace evaljob
