// How a batch is evaluated that cannot be evaluated whole: what failed is halved until a sample is alone. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace evaljob {

/// How often the whole batch is tried, and how often a sample that is alone.
struct Tries {
    int whole = 1;
    int alone = 1;
};

class Halving {
public:
    Halving(std::size_t samples, Tries tries);

    bool done() const { return groups_.empty(); }
    /// What is to be evaluated together next: samples by their place in the batch. Call while not done().
    const std::vector<std::size_t>& group() const { return groups_.front().members; }
    /// The group has its predictions.
    void succeeded();
    /// These of the group, at least one, are left without. A sample that was alone for the last time is given up: its
    /// place.
    std::optional<std::size_t> failed(const std::vector<std::size_t>& left);
    /// In how many parts the batch was evaluated; 1: as it was planned.
    std::uint32_t parts() const { return std::max(parts_, std::uint32_t{1}); }

private:
    struct Group {
        std::vector<std::size_t> members;
        int tries_left = 1;
    };
    Group group_of(std::vector<std::size_t> members) const;

    Tries tries_;
    std::deque<Group> groups_;
    std::uint32_t parts_ = 0;
};

}  // namespace evaljob
