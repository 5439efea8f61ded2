#include "evaljob-runner/engine/halving.hpp"

#include <numeric>
#include <utility>

namespace evaljob {

Halving::Group Halving::group_of(std::vector<std::size_t> members) const {
    const int tries = members.size() == 1 ? tries_.alone : 1;
    return {std::move(members), tries};
}

Halving::Halving(std::size_t samples, Tries tries) : tries_(tries) {
    if (samples == 0) return;
    std::vector<std::size_t> all(samples);
    std::iota(all.begin(), all.end(), std::size_t{0});
    groups_.push_back(group_of(std::move(all)));
    groups_.front().tries_left = std::max(groups_.front().tries_left, tries.whole);
}

void Halving::succeeded() {
    groups_.pop_front();
    ++parts_;
}

std::optional<std::size_t> Halving::failed(const std::vector<std::size_t>& left) {
    if (--groups_.front().tries_left > 0)
        return std::nullopt;  // as a whole: what shares a batch may decide its numbers
    const Group group = std::move(groups_.front());
    groups_.pop_front();
    if (group.members.size() == 1) {
        ++parts_;
        return left.front();
    }
    if (left.size() < group.members.size()) ++parts_;  // of those that have theirs
    const auto middle = left.begin() + static_cast<std::ptrdiff_t>((left.size() + 1) / 2);
    if (middle != left.end()) groups_.push_front(group_of({middle, left.end()}));
    groups_.push_front(group_of({left.begin(), middle}));
    return std::nullopt;
}

}  // namespace evaljob
