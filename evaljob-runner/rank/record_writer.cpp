#include "evaljob-runner/rank/record_writer.hpp"

#include <utility>

#include "api/assert.hpp"

namespace evaljob {

RecordWriter::RecordWriter(Write write)
    : write_(std::move(write)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void RecordWriter::put(std::vector<EvaluatedLease> group) {
    const std::lock_guard lock(mutex_);
    EVALJOB_ASSERT(waiting_.empty(), "one group is written at a time");
    waiting_ = std::move(group);
    changed_.notify_one();
}

void RecordWriter::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
        auto group = std::exchange(waiting_, {});
        lock.unlock();
        write_(std::move(group));
        lock.lock();
    }
}

}  // namespace evaljob
