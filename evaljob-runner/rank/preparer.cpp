#include "evaljob-runner/rank/preparer.hpp"

#include <utility>

#include "api/assert.hpp"

namespace evaljob {

Preparer::Preparer(std::function<Result<EngineBatch>(std::uint64_t batch)> prepare)
    : prepare_(std::move(prepare)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Preparer::announce(const Lease& lease) {
    const std::lock_guard lock(mutex_);
    if (announced_.count(lease.number) > 0) return;
    Task task([this, batch = lease.batch] { return prepare_(batch); });
    announced_.emplace(lease.number, task.get_future());
    waiting_.push_back(std::move(task));
    changed_.notify_one();
}

Result<EngineBatch> Preparer::take(const Lease& lease) {
    announce(lease);
    std::future<Result<EngineBatch>> batch;
    {
        const std::lock_guard lock(mutex_);
        auto announced = announced_.extract(lease.number);
        EVALJOB_ASSERT(!announced.empty(), "one thread takes batches");
        batch = std::move(announced.mapped());
    }
    return batch.get();
}

void Preparer::run(const std::stop_token& stop) {
    for (;;) {
        Task task;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, stop, [this] { return !waiting_.empty(); });
            if (stop.stop_requested()) return;
            task = std::move(waiting_.front());
            waiting_.pop_front();
        }
        task();
    }
}

}  // namespace evaljob
