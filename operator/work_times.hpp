// How long jobs wait in the work queue and are worked on, for the metrics of that. Pure: whoever calls has the clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace evaljob {

class WorkTimes {
public:
    using Instant = std::chrono::steady_clock::time_point;
    using Length = std::chrono::nanoseconds;

    void added(const std::string& key, Instant now) { adds_ += queued_.try_emplace(key, now).second ? 1 : 0; }

    /// How long it has waited.
    Length began(const std::string& key, Instant now) {
        added(key, now);
        const Length waited = now - queued_.at(key);
        queued_.erase(key);
        working_[key] = now;
        return waited;
    }

    /// How long it has been worked on.
    Length ended(const std::string& key, Instant now) {
        const Length worked = now - working_.at(key);
        working_.erase(key);
        return worked;
    }

    std::uint64_t adds() const { return adds_; }
    std::size_t working() const { return working_.size(); }

    /// Of what is being worked on now.
    Length longest(Instant now) const {
        Length longest{0};
        for (const auto& [key, since] : working_) longest = std::max<Length>(longest, now - since);
        return longest;
    }
    Length unfinished(Instant now) const {
        Length sum{0};
        for (const auto& [key, since] : working_) sum += now - since;
        return sum;
    }

private:
    std::map<std::string, Instant> queued_;
    std::map<std::string, Instant> working_;
    std::uint64_t adds_ = 0;
};

}  // namespace evaljob
