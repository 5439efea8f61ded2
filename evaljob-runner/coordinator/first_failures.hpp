// Whether the run is of no use: its first samples all fail alike, and so do its cheapest. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/coordinator/cost_model.hpp"

namespace evaljob {

inline constexpr std::uint64_t first_failed_samples = 50;
inline constexpr std::uint64_t cheapest_samples = 5;

/// Failures that differ in numbers alone are alike.
std::string kind_of_failure(std::string_view why);

class FirstFailures {
public:
    /// `over`: something has been evaluated well before, so nothing needs to be watched.
    explicit FirstFailures(bool over) : over_(over) {}

    /// A batch of `samples` is done. `failure`: why all of them failed, for a person; empty: not all, or not alike.
    void done(std::uint64_t batch, std::uint64_t samples, const std::string& failure);

    /// So many have failed, and nothing else: the cheapest are to be asked before anything else.
    bool wants_the_cheapest() const { return !over_ && failed_ >= first_failed_samples && cheapest_.empty(); }
    void ask_first(std::set<std::uint64_t> cheapest);

    /// The batches that are leased before all others, as long as there are any.
    const std::set<std::uint64_t>& asked_first() const { return cheapest_; }
    bool is_asking() const { return !over_ && !cheapest_.empty(); }
    /// The cheapest have failed too.
    bool is_hopeless() const { return is_asking() && open_.empty(); }
    /// Why the job ends then.
    std::string message() const;

private:
    bool over_;
    std::uint64_t failed_ = 0;  // samples
    std::string failure_;       // the first
    std::set<std::uint64_t> cheapest_;
    std::set<std::uint64_t> open_;  // of those, not done yet
};

/// Of the batches that wait: the cheapest of each kind, and then the cheapest of all until there are enough samples.
/// `waits` tells whether a batch does.
std::set<std::uint64_t> cheapest_of(std::size_t batches,
                                    const std::function<const BatchFeatures*(std::uint64_t)>& waits);

}  // namespace evaljob
