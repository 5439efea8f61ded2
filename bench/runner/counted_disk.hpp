// What goes through storage/disk.hpp in this process and those that it forks: the linker puts these counts in front of
// the disk's own functions (bench/CMakeLists.txt).
#pragma once

#include <atomic>
#include <cstdint>

namespace evaljob::bench {

struct DiskCounts {
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> syncs{0};
    std::atomic<std::uint64_t> sync_us{0};
};

/// From the first call on all is counted; forked processes count into the same.
DiskCounts& disk_counts();

}  // namespace evaljob::bench
