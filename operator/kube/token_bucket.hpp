// How long a request has to wait, so that no more than so many a second are sent. Pure.
#pragma once

#include <algorithm>

#include "operator/kube/reflector.hpp"

namespace evaljob::kube {

class TokenBucket {
public:
    /// `per_second` 0: no limit. `burst`: how many may go at once after a pause.
    TokenBucket(double per_second, double burst)
        : per_second_(per_second), burst_(std::max(1.0, burst)), tokens_(burst_) {}

    /// Takes a token, of the future if need be, and says how long until it is there.
    Milliseconds take(Milliseconds now) {
        if (per_second_ <= 0) return Milliseconds{0};
        tokens_ = std::min(burst_, tokens_ + per_second_ * static_cast<double>((now - at_).count()) / 1000);
        at_ = now;
        tokens_ -= 1;
        return Milliseconds{tokens_ >= 0 ? 0 : static_cast<Milliseconds::rep>(-tokens_ / per_second_ * 1000 + 0.5)};
    }

private:
    double per_second_;
    double burst_;
    double tokens_;
    Milliseconds at_{0};
};

}  // namespace evaljob::kube
