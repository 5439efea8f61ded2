// What ranks and the coordinator say to each other: one JSON object a frame (evaljob-runner/wire). Pure.
// docs/formats.md describes the messages in prose.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/contract.hpp"
#include "api/record.hpp"
#include "api/result.hpp"

namespace evaljob {

inline constexpr int protocol_version = 3;  // 2: join and group; 3: done names its log

/// The devices a rank will compute on, and what its node shows it.
struct DeviceChoice {
    std::string kind;                  // "cpu" or "cuda"
    std::int32_t index = 0;            // the first: LOCAL_RANK's; for "cuda" an index into `visible`
    std::vector<std::string> visible;  // UUIDs or names, as CUDA_VISIBLE_DEVICES orders them; empty for "cpu"
    std::int32_t count = 1;            // inference.devicesPerRank
};

struct HeldLease {
    LeaseNumber lease;
    std::uint64_t batch = 0;
    bool operator==(const HeldLease&) const = default;
};

// From a rank.

struct Hello {
    int version = protocol_version;
    std::string token;
    RankContract contract;     // names, MASTER_ADDR and folders are not sent
    std::int32_t restart = 0;  // how often the launcher has restarted this rank in place
    DeviceChoice device;
    std::string host;
    std::int32_t pid = 0;
    std::vector<HeldLease> held;  // leases of before a lost connection that this process still works on
};

/// How many leases the rank wants to hold at a time: one computing, the others prepared.
struct Want {
    std::uint32_t leases = 2;
};

/// writers: Node0: what comes next of this rank's shard log, for node 0 to write. The first on a connection begins with
/// the log's magic and header; a log ends with its connection.
struct Append {
    std::uint64_t offset = 0;  // in this connection's log
    std::string bytes;
};
inline constexpr std::size_t max_append = std::size_t{512} << 10;  // as base64 well below a frame's limit

/// The batch's records are durable on the volume, in the log that it names; with Append: have all been sent.
struct Done {
    LeaseNumber lease;
    std::uint64_t batch = 0;
    std::uint32_t samples = 0;
    std::uint32_t failed = 0;
    std::int64_t compute_us = 0;
    std::string failure = {};  // why all of them failed; empty: not all of them, or not alike
    std::string log = {};      // the file's name in this rank's folder; empty with Append, where node 0 knows it
};

struct Return {
    LeaseNumber lease;
};

struct Heartbeat {
    std::string waiting_for = {};  // what the rank waits for before it can go on: a server, a model; empty: nothing
};
inline constexpr std::size_t max_said_bytes = 500;  // of a failure, and of what is waited for

/// The rank wants to be a member of the next group for collective operations.
struct Join {
    std::string address;  // where other members find it, "10.1.2.3:40123"
};

/// The rank has met something that no restart mends; the job ends with this.
struct Abort {
    int exit_code = 1;
    std::string message;
};

// From the coordinator.

struct Welcome {
    std::uint32_t epoch = 0;
    std::string identity;
    std::int32_t heartbeat_ms = 2000;
};

struct Refused {
    int exit_code = 10;
    std::string message;
};

struct Lease {
    LeaseNumber number;
    std::uint64_t batch = 0;
};

/// The coordinator has seen this Done: the rank may forget it.
struct Ack {
    LeaseNumber lease;
};

/// Everything is done and the done marker stands.
struct Finished {};

/// Those who wanted to join at about the same time.
struct Group {
    std::uint64_t generation = 0;      // counted by the coordinator
    std::uint32_t self = 0;            // who gets this, among the members
    std::vector<std::string> members;  // their addresses
};

using Message = std::variant<Hello, Want, Append, Done, Return, Heartbeat, Abort, Welcome, Refused, Lease, Ack,
                             Finished, Join, Group>;

std::string encode_message(const Message& message);

/// Fails with BadMessage; never throws, whatever the bytes are.
Result<Message> decode_message(std::string_view bytes);

}  // namespace evaljob
