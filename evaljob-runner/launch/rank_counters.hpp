// What a rank has done and where its time went, in a page of memory that it shares with its launcher: read at any
// moment, at no cost to the rank, and still there when it has died. A rank that was restarted in place counts on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "api/contract.hpp"
#include "api/result.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

/// Only the rank adds. Starting, waiting and computing are of the thread that works: together they are its whole life.
struct RankCounters {
    std::atomic<std::uint64_t> batches{0};
    std::atomic<std::uint64_t> samples{0};
    std::atomic<std::uint64_t> failed{0};        // samples
    std::atomic<std::uint64_t> starting_us{0};   // until the engine was ready
    std::atomic<std::uint64_t> waiting_us{0};    // for a lease
    std::atomic<std::uint64_t> computing_us{0};  // reading samples too
    std::atomic<std::uint64_t> writing_us{0};  // of the log's thread: until records were durable, or encoded for node 0
    std::atomic<std::uint64_t> requests{0};    // to a server
    std::atomic<std::uint64_t> requests_again{0};
    std::atomic<std::uint64_t> prompt_tokens{0};
    std::atomic<std::uint64_t> completion_tokens{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "two processes share them");

/// Adds the time since the last lap to one of them, so that none is lost between two.
class Laps {
public:
    void add_to(std::atomic<std::uint64_t>& microseconds) {
        const auto whole =
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - since_);
        microseconds += static_cast<std::uint64_t>(whole.count());
        since_ += whole;  // what is less than a microsecond belongs to the next lap
    }

private:
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

/// The page, mapped.
class SharedCounters {
public:
    /// The launcher's. Fails with StartFailed.
    static Result<SharedCounters> make();
    /// The rank's: the page that `path()` of its launcher names; one of its own that nobody sees, where there is none.
    static SharedCounters open(const std::string& path);

    RankCounters& operator*() const { return *counters_; }
    RankCounters* operator->() const { return counters_.get(); }
    /// What a process of the same user opens it by, as long as this one lives.
    std::string path() const;

    /// The variable that a launcher tells a rank the path by.
    static constexpr const char* variable = "EVALJOB_COUNTERS";

private:
    SharedCounters(FileDescriptor file, std::shared_ptr<RankCounters> counters)
        : file_(std::move(file)), counters_(std::move(counters)) {}
    FileDescriptor file_;
    std::shared_ptr<RankCounters> counters_;
};

}  // namespace evaljob
