// Asks node 0's runners for their progress over HTTP: those of any number of jobs, one request a job at a time, so many
// a second in all. Unreachable is not an error: the last answer stays, and its time says how old it is.
// Thread-safe; the requests run on the io_context's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/io_context.hpp>

#include "api/progress_report.hpp"

namespace evaljob {

class ProgressPuller {
public:
    struct Options {
        std::function<std::int64_t()> clock;  // Unix seconds
        double per_second = 0;                // requests; 0: no bound
        /// An answer that came less than this ago is not asked for again.
        std::int64_t fresh_seconds = 0;
        std::function<void(const std::string& job)> arrived;  // on the io_context's thread
    };

    /// Where a job's node 0 answers. `run` tells a job from a later one of the same name: its uid.
    struct Place {
        std::string job;
        std::string run;
        std::string address;  // a literal one
        std::uint16_t port = 0;
    };

    ProgressPuller(boost::asio::io_context& io, Options options);
    ~ProgressPuller();

    /// Starts a request, unless one of this run is under way or has just been answered.
    void ask(const Place& place);

    /// Of that run; nothing before the first answer.
    std::optional<ProgressReport> latest(const std::string& run) const;

    /// No request is started any more.
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;  // outlives us in requests that are under way
};

}  // namespace evaljob
