// A Controller over a transport whose streams wait: a thread for each source, and workers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "operator/controller.hpp"

namespace evaljob::cluster {

class ControllerThreads {
public:
    /// `options.wake` is ours.
    ControllerThreads(kube::Transport& transport, ControllerOptions options, int workers);
    /// Lets reconciles that are under way end. Whoever owns the transport has ended its streams.
    ~ControllerThreads();

    const Controller& controller() const { return *controller_; }

    /// As Controller's.
    void look_at(const std::string& key) { controller_->look_at(key); }

private:
    void follow(std::size_t source);
    void work();
    void ring();

    std::mutex mutex_;
    std::condition_variable bell_;   // of workers: there is work
    std::condition_variable ended_;  // of followers
    std::uint64_t rung_ = 0;
    bool ending_ = false;
    kube::Source::Clock ticks_;
    Clock clock_;
    std::unique_ptr<Controller> controller_;
    std::vector<std::thread> threads_;
};

}  // namespace evaljob::cluster
