#include "operator/cluster/paced_transport.hpp"

#include <algorithm>
#include <utility>

namespace evaljob::cluster {
namespace {

constexpr int most_tries = 4;
constexpr int longest_retry_after_seconds = 30;

/// The server refused it without carrying it out, and says when to come again.
bool is_to_be_sent_again(const Result<kube::Response>& response) {
    return response && (response->status == 429 || response->status == 503) && response->retry_after_seconds > 0;
}

}  // namespace

PacedTransport::PacedTransport(kube::Transport& inner, Pace pace, kube::Source::Clock ticks, Sleep sleep)
    : inner_(inner), ticks_(std::move(ticks)), sleep_(std::move(sleep)), bucket_(pace.per_second, pace.burst) {}

Result<kube::Response> PacedTransport::send(const kube::Request& request) {
    for (int tries = 1;; ++tries) {
        await_turn();
        auto response = inner_.send(request);
        if (!is_to_be_sent_again(response) || tries == most_tries) return response;
        sleep_(std::chrono::seconds{std::min(response->retry_after_seconds, longest_retry_after_seconds)});
    }
}

Result<std::unique_ptr<kube::ByteStream>> PacedTransport::open(const kube::Request& request) {
    return inner_.open(request);
}

void PacedTransport::await_turn() {
    kube::Milliseconds wait{0};
    {
        const std::lock_guard lock(mutex_);
        wait = bucket_.take(ticks_());
    }
    if (wait.count() > 0) sleep_(wait);
}

}  // namespace evaljob::cluster
