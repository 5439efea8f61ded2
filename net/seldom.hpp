// What strangers can make happen as often as they like is told of now and then. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace evaljob {

class Seldom {
public:
    /// Times are milliseconds of any clock that does not run backwards.
    explicit Seldom(std::int64_t pause) : pause_(pause) {}

    /// It has happened once more. How often since it was last told of, when it is to be told of now; else 0.
    std::uint64_t happened(std::int64_t now) {
        ++untold_;
        if (told_at_ && now - *told_at_ < pause_) return 0;
        told_at_ = now;
        return std::exchange(untold_, 0);
    }

private:
    std::int64_t pause_;
    std::optional<std::int64_t> told_at_;
    std::uint64_t untold_ = 0;
};

}  // namespace evaljob
