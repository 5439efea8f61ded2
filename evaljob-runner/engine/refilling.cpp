#include "evaljob-runner/engine/refilling.hpp"

#include <algorithm>
#include <numeric>

namespace evaljob {

namespace {

constexpr std::size_t together = 8;  // so many times in which all rows are refilled once

}  // namespace

Refilling::Refilling(std::size_t samples, std::size_t rows)
    : samples_(std::min(samples, rows)), next_(samples_.size()), all_(samples) {
    std::iota(samples_.begin(), samples_.end(), std::size_t{0});
}

std::vector<std::size_t> Refilling::refill(const std::function<bool(std::size_t sample)>& ended) {
    const std::size_t left = all_ - next_;
    if (left == 0) return {};
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < samples_.size(); ++row)
        if (ended(samples_[row])) rows.push_back(row);
    if (rows.size() < std::min(left, (samples_.size() + together - 1) / together)) return {};
    rows.resize(std::min(rows.size(), left));
    for (const std::size_t row : rows) samples_[row] = next_++;
    return rows;
}

}  // namespace evaljob
