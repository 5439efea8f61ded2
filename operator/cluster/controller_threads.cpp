#include "operator/cluster/controller_threads.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace evaljob::cluster {
namespace {

constexpr std::chrono::seconds longest_sleep{1};

}  // namespace

ControllerThreads::ControllerThreads(kube::Transport& transport, ControllerOptions options, int workers)
    : ticks_(options.ticks), clock_(options.clock) {
    options.wake = [this] { ring(); };
    controller_ = std::make_unique<Controller>(transport, std::move(options));
    for (std::size_t source = 0; source < controller_->sources(); ++source)
        threads_.emplace_back([this, source] { follow(source); });
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

ControllerThreads::~ControllerThreads() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    bell_.notify_all();
    ended_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void ControllerThreads::ring() {
    {
        const std::lock_guard lock(mutex_);
        ++rung_;
    }
    bell_.notify_one();  // who takes something and sees more wakes the next
}

void ControllerThreads::follow(std::size_t source) {
    for (;;) {
        const auto due = controller_->turn(source);
        std::unique_lock lock(mutex_);
        if (due) ended_.wait_for(lock, std::max(kube::Milliseconds{0}, *due - ticks_()), [this] { return ending_; });
        if (ending_) return;
    }
}

void ControllerThreads::work() {
    std::uint64_t heard = 0;
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (ending_) return;
            heard = rung_;
        }
        if (controller_->work()) continue;
        std::unique_lock lock(mutex_);
        bell_.wait_for(lock, longest_sleep, [this, heard] { return ending_ || rung_ != heard; });
    }
}

}  // namespace evaljob::cluster
