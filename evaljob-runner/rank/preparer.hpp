// Prepares the batches of leases on a thread of its own, one after the other as the leases came, while the engine
// computes another.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

#include "api/record.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

class Preparer {
public:
    /// `prepare` is called on the preparer's thread alone.
    explicit Preparer(std::function<Result<EngineBatch>(std::uint64_t batch)> prepare);
    /// Waits for the batch that is being prepared; those that nobody took are thrown away.
    ~Preparer() = default;

    /// The lease's batch is to be prepared. Any thread; never waits for a batch.
    void announce(const Lease& lease);
    /// The lease's batch, once for each lease; waits until it is prepared, also when nobody has announced it.
    Result<EngineBatch> take(const Lease& lease);

private:
    using Task = std::packaged_task<Result<EngineBatch>()>;
    void run(const std::stop_token& stop);

    std::function<Result<EngineBatch>(std::uint64_t batch)> prepare_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Task> waiting_;
    std::map<LeaseNumber, std::future<Result<EngineBatch>>> announced_;  // as many as the rank holds leases
    std::jthread thread_;                                                // last, for it uses the others
};

}  // namespace evaljob
