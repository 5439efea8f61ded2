// Requests at a bounded rate, and again when the server asks for that (429 or 503 with Retry-After).
// Thread rule: thread-safe; whoever sends waits.
#pragma once

#include <functional>
#include <mutex>

#include "operator/kube/source.hpp"
#include "operator/kube/token_bucket.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::cluster {

struct Pace {
    double per_second = 0;  // 0: no limit, the server's own fairness decides
    double burst = 0;
};

class PacedTransport : public kube::Transport {
public:
    using Sleep = std::function<void(kube::Milliseconds)>;

    PacedTransport(kube::Transport& inner, Pace pace, kube::Source::Clock ticks, Sleep sleep);

    Result<kube::Response> send(const kube::Request& request) override;
    /// Watches are few and long: they do not count.
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override;

private:
    void await_turn();

    kube::Transport& inner_;
    kube::Source::Clock ticks_;
    Sleep sleep_;
    std::mutex mutex_;
    kube::TokenBucket bucket_;
};

}  // namespace evaljob::cluster
