// Which job to reconcile next. Pure; times are Unix seconds.
//
// A key that is added while it is being worked on becomes one more turn when that is done, so that no two workers have
// one job. What goes on with a job that runs comes before new jobs: in a burst, ends must not wait behind beginnings.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "operator/plan/plan.hpp"

namespace evaljob {

enum class Urgency { Begins, GoesOn };

class WorkQueue {
public:
    void add(const std::string& key, Urgency urgency = Urgency::GoesOn);

    /// Again at that time, or sooner if it is added before; a later call replaces an earlier one.
    void add_at(const std::string& key, UnixSeconds time);

    /// The next one whose time has come; to be given back with done() or fail().
    std::optional<std::string> take(UnixSeconds now);

    /// Worked on, without failure.
    void done(const std::string& key);

    /// Worked on in vain: comes again after a back-off, 1 s that doubles to 30 s. Returns it. `got_on`: something was
    /// carried out before the failure, so the back-off starts over; else a job of many writes would wait ever longer
    /// where only some of them fail.
    int fail(const std::string& key, UnixSeconds now, bool got_on = false);

    /// When the next delayed key is due; nothing when none is.
    std::optional<UnixSeconds> next_time() const;

    /// How often fail() was called.
    std::uint64_t retries() const { return retries_; }

    std::size_t size() const { return begins_.size() + goes_on_.size(); }
    bool empty() const { return size() == 0; }

private:
    void give_back(const std::string& key);
    void forget_later(const std::string& key);

    std::deque<std::string> begins_;
    std::deque<std::string> goes_on_;
    std::map<std::string, Urgency> waiting_;  // all of both, and those that came while worked on
    std::set<std::string> working_;
    std::map<std::string, UnixSeconds> later_;
    std::set<std::pair<UnixSeconds, std::string>> by_time_;  // the same
    std::map<std::string, int> failures_;                    // in a row
    std::uint64_t retries_ = 0;
};

}  // namespace evaljob
