// What may go wrong between the operator and its cluster. Swarm style: a seed switches most of it off, so that rare
// combinations have room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "tests/simulation/random.hpp"

namespace evaljob::simulation {

enum class Fault : std::size_t {
    OperatorKilled,
    StaleList,
    EventDropped,
    EventRepeated,
    EventsDelayed,
    WatchExpired,
    ListExpired,
    WatchCut,
    Conflict,
    TooManyRequests,
    ServerError,
    TimeoutAfterWrite,
    SecondLeader,
    Interleaved,
    NoBookmarks,
    Recreated,
    Crashed,
    FinalExit,
    Evicted,
    NodeLost,
    ImageMissing,
    PodDeleted,
    PodVanished,
    Hung,
    Unreachable,
    MergeKilled,
    MergeAtItsLimit,
    ClocksDiffer,
    Rescaled,
    Suspended,
    BudgetChanged,
    InvalidUpdate,
};
inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::InvalidUpdate) + 1;

/// As the table of faults calls them; the numbers are those of the fault suite in docs/simulation.md.
inline constexpr std::array<const char*, fault_count> fault_names{
    "F1  operator killed before or after an API write",
    "F2  list served from an older resourceVersion",
    "F3  watch event dropped",
    "F3  watch event repeated",
    "F3  watch events delayed",
    "F4  410 on a watch",
    "F4  410 on a list, or in the middle of its pages",
    "F5  watch cut inside a line",
    "F6  409 on a write",
    "F6  429",
    "F6  500 or 503",
    "F6  504 after the write was done",
    "F7  two operators at once, one of them paused",
    "F7  others act between two requests of a reconcile",
    "F8  no bookmarks",
    "F9  EvalJob deleted and created again under its name",
    "F11 container crashed or out of memory",
    "F11 container ended with a final exit code",
    "F11 Pod evicted",
    "F11 node lost",
    "F11 image missing for a while",
    "F11 Pod deleted by a person",
    "F11 Pod vanished without a trace",
    "F11 all ranks hang",
    "F11 node 0 unreachable for reports",
    "F11 merge killed",
    "F11 merge fails at its limit",
    "F12 clocks of API server and nodes are off, and jump",
    "F13 numNodes changed",
    "F13 suspended and resumed",
    "F13 restart budget changed",
    "F13 invalid update sent",
};

/// Which faults a seed has, and how often each has struck.
class Faults {
public:
    Faults(Random& random, bool none) : random_(random) {
        if (none) return;
        for (double& rate : rates_)
            if (random.chance(0.3)) rate = random.chance(0.5) ? 0.02 : 0.15;
    }

    /// Whether it strikes now. `scale`: how much more often than at the seed's rate.
    bool strikes(Fault fault, double scale = 1) {
        if (!on_ || !random_.chance(rates_[index(fault)] * scale)) return false;
        ++struck_[index(fault)];
        return true;
    }
    bool has(Fault fault) const { return rates_[index(fault)] > 0; }
    std::uint64_t struck(Fault fault) const { return struck_[index(fault)]; }
    void stop() { on_ = false; }

    std::map<std::string, std::uint64_t> counts() const {
        std::map<std::string, std::uint64_t> counts;
        for (std::size_t i = 0; i < fault_count; ++i)
            if (struck_[i] > 0) counts[fault_names[i]] = struck_[i];
        return counts;
    }

private:
    static constexpr std::size_t index(Fault fault) { return static_cast<std::size_t>(fault); }

    Random& random_;
    bool on_ = true;
    std::array<double, fault_count> rates_{};
    std::array<std::uint64_t, fault_count> struck_{};
};

}  // namespace evaljob::simulation
