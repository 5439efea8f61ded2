#include "evaljob-runner/merge/trace_main.hpp"

#include <filesystem>
#include <iostream>

#include "api/exit_code.hpp"
#include "api/printable.hpp"
#include "evaljob-runner/merge/chrome_trace.hpp"
#include "evaljob-runner/merge/shard_reading.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob {

int trace_main(const std::string& shared_dir) {
    if (!std::filesystem::is_directory(layout::runs(shared_dir))) {
        std::cerr << "trace: " << layout::runs(shared_dir)
                  << " is no folder; name a job's output folder, in which `runs` lies\n";
        return exit_code::usage;
    }
    const auto traces = read_traces(shared_dir);
    if (!traces) {
        std::cerr << "trace: " << printable(traces.error().message) << "\n";
        return exit_code::storage;
    }
    std::cout << chrome_trace(*traces) << "\n";
    return exit_code::success;
}

}  // namespace evaljob
