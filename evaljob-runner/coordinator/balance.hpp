// How evenly the work was spread: who was there when, who waited for a lease, and how long the run would have taken at
// best. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "evaljob-runner/milliseconds.hpp"

namespace evaljob {

struct Presence {
    Milliseconds from = 0;
    std::optional<Milliseconds> to;  // none: still there
};

/// What a rank has contributed.
struct RankWork {
    double speed = 1;  // an ordinary rank's is 1
    double useful_ms = 0;
    std::vector<Presence> there;
};

/// No schedule could have ended sooner after `begun`: all useful work spread over whoever was there, by speed, or the
/// longest batch on the fastest rank. `longest_ms` is an ordinary rank's.
double bound_ms(const std::vector<RankWork>& ranks, double longest_ms, Milliseconds begun);

class Balance {
public:
    void came(std::int32_t rank, Milliseconds now);
    void went(std::int32_t rank, Milliseconds now);
    /// It wants a lease and holds none, or no longer so.
    void waits(std::int32_t rank, bool waits, Milliseconds now);
    void worked(std::int32_t rank, double ms) { ranks_[rank].useful_ms += ms; }
    /// Everything is done: nobody waits any more.
    void ended(Milliseconds now);

    Milliseconds idle(std::int32_t rank, Milliseconds now) const;
    double useful_ms(std::int32_t rank) const;
    double bound(const std::function<double(std::int32_t)>& speed, double longest_ms, Milliseconds begun) const;

private:
    struct Rank {
        double useful_ms = 0;
        std::vector<Presence> there;
        Milliseconds idle = 0;
        std::optional<Milliseconds> waits_since;
    };
    std::map<std::int32_t, Rank> ranks_;
};

}  // namespace evaljob
