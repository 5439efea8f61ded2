// Leader election over a Transport, on a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "operator/kube/election.hpp"
#include "operator/kube/source.hpp"
#include "operator/kube/transport.hpp"
#include "operator/reconciler.hpp"

namespace evaljob::cluster {

class ElectionThread {
public:
    struct Calls {
        std::function<void()> led;                         // once: the Lease is ours
        std::function<void(const std::string& why)> lost;  // once, after led: nothing may be written from now on
    };

    /// Both are called on this thread.
    ElectionThread(kube::Transport& transport, kube::ElectionOptions options, kube::Source::Clock ticks, Clock clock,
                   Calls calls);
    /// Gives the Lease back if it is ours.
    ~ElectionThread();

    /// The API server has answered about the Lease.
    bool heard() const { return heard_; }

private:
    void run();
    Result<Json> send(const kube::Request& request);

    kube::Transport& transport_;
    kube::Election election_;
    kube::Source::Clock ticks_;
    Clock clock_;
    Calls calls_;
    std::mutex mutex_;
    std::condition_variable bell_;
    bool ending_ = false;
    std::atomic<bool> heard_ = false;
    std::thread thread_;
};

}  // namespace evaljob::cluster
