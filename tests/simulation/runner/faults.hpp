// What may go wrong. Swarm style: a seed switches most of it off, so that rare combinations have room.
#pragma once

#include <array>
#include <cstddef>

namespace evaljob::simulation {

enum class Fault : std::size_t {
    RankKilled,
    RankKilledAtWrite,
    RankKilledBetweenReports,
    CoordinatorKilled,
    CoordinatorKilledAtWrite,
    MergeKilledAtWrite,
    PowerLost,
    PowerLostAtWrite,
    PowerLostWhileGathered,
    DiskFull,
    SyncError,
    DiskSlow,
    ShortWrite,
    CacheEvicted,
    ConnectionBroken,
    ConnectionHalfOpen,
    MessagesDelayed,
    MessageRepeated,
    RankPaused,
    DeviceHung,
    Zombie,
    SecondCoordinator,
    ClockForward,
    ClockBackward,
    Terminated,
    Interleaved,
    StaleListing,
    Resumed,
};
inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::Resumed) + 1;

/// As the table of faults calls them.
inline constexpr std::array<const char*, fault_count> fault_names{
    "rank killed",
    "rank killed at a write",
    "rank killed when several are durable, one is reported",
    "coordinator killed",
    "coordinator killed at a write",
    "merge killed at a write",
    "power lost: what is not durable goes, torn tails",
    "power lost at a write",
    "power lost as a group is written, others have gathered",
    "disk full",
    "EIO on fsync",
    "disk slow, batches gather while leases come",
    "write that takes a part",
    "page cache evicted",
    "connection broken, messages lost",
    "connection lost, one side does not notice",
    "messages delayed for seconds",
    "message repeated",
    "rank stopped, wakes later",
    "device hung, heartbeats go on",
    "zombie: replaced, goes on writing",
    "second coordinator beside the first",
    "clock jumps forwards",
    "clock jumps backwards",
    "rank told to stop (SIGTERM)",
    "others act between two system calls",
    "stale listing of a folder",
    "run stopped, resumed with other ranks",
};

constexpr std::size_t index_of(Fault fault) { return static_cast<std::size_t>(fault); }
constexpr const char* name_of(Fault fault) { return fault_names[index_of(fault)]; }

}  // namespace evaljob::simulation
