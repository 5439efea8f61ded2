// How many requests a server bears at a time: one more for each round of answers, half as many when it refuses. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace evaljob::openai {

class Concurrency {
public:
    explicit Concurrency(std::size_t ceiling) : ceiling_(ceiling), limit_(std::min(first_, ceiling)) {}

    std::size_t limit() const { return limit_; }

    /// To be remembered with each request: of those that were sent before a halving, none halves again.
    std::uint64_t round() const { return round_; }

    void answered() {
        // Until the first refusal it doubles with each round of answers.
        if (round_ == 0 || ++answered_ >= limit_) {
            limit_ = std::min(limit_ + 1, ceiling_);
            answered_ = 0;
        }
    }

    void refused(std::uint64_t sent_in_round) {
        if (sent_in_round != round_) return;
        limit_ = std::max<std::size_t>(limit_ / 2, 1);
        answered_ = 0;
        ++round_;
    }

private:
    static constexpr std::size_t first_ = 8;
    std::size_t ceiling_;
    std::size_t limit_;
    std::size_t answered_ = 0;
    std::uint64_t round_ = 0;
};

}  // namespace evaljob::openai
