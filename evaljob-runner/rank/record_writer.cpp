#include "evaljob-runner/rank/record_writer.hpp"

#include <utility>

namespace evaljob {

RecordWriter::RecordWriter(Write write, Tell tell)
    : write_(std::move(write)), tell_(std::move(tell)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

RecordWriter::~RecordWriter() { (void)flush(); }

Result<std::size_t> RecordWriter::put(EvaluatedLease evaluated) {
    const std::lock_guard lock(mutex_);
    if (failure_) return tl::unexpected(*failure_);
    waiting_.push_back(std::move(evaluated));
    changed_.notify_all();
    return waiting_.size() + writing_;
}

Result<void> RecordWriter::flush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || (waiting_.empty() && writing_ == 0); });
    if (failure_) return tl::unexpected(*failure_);
    return {};
}

void RecordWriter::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
        const auto group = std::exchange(waiting_, {});
        writing_ = group.size();
        lock.unlock();
        auto reports = write_(group);
        if (reports)
            for (Report& report : *reports) tell_(std::move(report));
        lock.lock();
        writing_ = 0;
        if (!reports) failure_ = reports.error();
        changed_.notify_all();
        if (failure_) return;
    }
}

}  // namespace evaljob
