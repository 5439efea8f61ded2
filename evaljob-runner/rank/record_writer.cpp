#include "evaljob-runner/rank/record_writer.hpp"

#include <utility>

namespace evaljob {

RecordWriter::RecordWriter(Write write, Tell tell, Failed failed)
    : write_(std::move(write)),
      tell_(std::move(tell)),
      failed_(std::move(failed)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

RecordWriter::~RecordWriter() { (void)flush(); }

Result<void> RecordWriter::put(EvaluatedLease evaluated) {
    const std::lock_guard lock(mutex_);
    if (failure_) return tl::unexpected(*failure_);
    waiting_.push_back(std::move(evaluated));
    changed_.notify_all();
    return {};
}

Result<void> RecordWriter::flush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || (waiting_.empty() && !writing_); });
    if (failure_) return tl::unexpected(*failure_);
    return {};
}

void RecordWriter::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
        const auto group = std::exchange(waiting_, {});
        writing_ = true;
        lock.unlock();
        auto reports = write_(group);
        if (reports)
            for (Report& report : *reports) tell_(std::move(report));
        lock.lock();
        writing_ = false;
        if (!reports) failure_ = reports.error();
        changed_.notify_all();
        if (!failure_) continue;
        lock.unlock();
        return failed_();
    }
}

}  // namespace evaljob
