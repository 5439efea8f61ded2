// Groups of evaluated leases on their way into the rank's shard log: a thread of its own makes them durable while the
// next batch is computed. What belongs to a group is the loop's to say.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "evaljob-runner/rank/evaluated_lease.hpp"

namespace evaljob {

class RecordWriter {
public:
    using Write = std::function<void(std::vector<EvaluatedLease>)>;

    /// `write` makes a group durable and tells of it, on the writer's thread; it may put the next one.
    explicit RecordWriter(Write write);
    /// What was put is written first.
    ~RecordWriter() = default;
    RecordWriter(const RecordWriter&) = delete;
    RecordWriter& operator=(const RecordWriter&) = delete;

    /// Any thread; does not wait. One group at a time: the next when `write` has told of this one.
    void put(std::vector<EvaluatedLease> group);

private:
    void run(const std::stop_token& stop);

    Write write_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<EvaluatedLease> waiting_;  // under mutex_
    std::jthread thread_;                  // last, for it uses the others
};

}  // namespace evaljob
