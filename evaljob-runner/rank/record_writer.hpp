// Evaluated leases on their way into the rank's shard log: a thread of its own makes them durable while the next batch
// is computed. What has gathered meanwhile shares the next fsync.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "api/result.hpp"
#include "evaljob-runner/rank/rank_log.hpp"

namespace evaljob {

/// Thread rule: put() and flush() from one thread; what it is made with is called on the writer's.
class RecordWriter {
public:
    using Write = std::function<Result<std::vector<Report>>(const std::vector<EvaluatedLease>&)>;
    using Tell = std::function<void(Report)>;

    using Failed = std::function<void()>;

    /// `write` makes a group of leases durable, `tell` is told of each when its group is. After a failure, of which
    /// `failed` is told, nothing is written any more.
    RecordWriter(Write write, Tell tell, Failed failed);
    /// What was put is written, and told of, first.
    ~RecordWriter();
    RecordWriter(const RecordWriter&) = delete;
    RecordWriter& operator=(const RecordWriter&) = delete;

    /// Does not wait. Fails when an earlier one could not be written.
    Result<void> put(EvaluatedLease evaluated);
    /// Waits until everything that was put is durable, and has been told. Fails when it could not be written.
    Result<void> flush();

private:
    void run(const std::stop_token& stop);

    Write write_;
    Tell tell_;
    Failed failed_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<EvaluatedLease> waiting_;  // under mutex_, as the next two
    bool writing_ = false;
    std::optional<Error> failure_;
    std::jthread thread_;  // last, for it uses the others
};

}  // namespace evaljob
