#include "operator/cluster/election_thread.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace evaljob::cluster {

ElectionThread::ElectionThread(kube::Transport& transport, kube::ElectionOptions options, kube::Source::Clock ticks,
                               Clock clock, Calls calls)
    : transport_(transport),
      election_(std::move(options)),
      ticks_(std::move(ticks)),
      clock_(std::move(clock)),
      calls_(std::move(calls)),
      thread_([this] { run(); }) {}

ElectionThread::~ElectionThread() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    bell_.notify_all();
    thread_.join();
    if (!election_.leading()) return;
    if (const auto released = send(election_.release(clock_())); !released)
        spdlog::warn("the Lease was not given back, the next leader waits for it to expire: {}",
                     released.error().message);
}

Result<Json> ElectionThread::send(const kube::Request& request) {
    const auto response = transport_.send(request);
    if (!response) return tl::unexpected(response.error());
    return kube::read_response(*response);
}

void ElectionThread::run() {
    bool led = false;
    auto next = election_.look(ticks_(), clock_());
    for (;;) {
        if (const auto* lost = std::get_if<kube::Lost>(&next)) return calls_.lost(lost->why);
        if (const auto* wait = std::get_if<kube::Wait>(&next)) {
            if (election_.leading() && !std::exchange(led, true)) calls_.led();
            std::unique_lock lock(mutex_);
            if (bell_.wait_for(lock, wait->time, [this] { return ending_; })) return;
            lock.unlock();
            next = election_.look(ticks_(), clock_());
            continue;
        }
        const auto answer = send(std::get<kube::SendLease>(next).request);
        if (answer || answer.error().reason == "NotFound") heard_ = true;
        if (!answer && answer.error().reason != "NotFound")
            spdlog::warn("leader election: {}: {}", answer.error().reason, answer.error().message);
        next = election_.take(answer, ticks_(), clock_());
    }
}

}  // namespace evaljob::cluster
