#include "bench/runner/counted_disk.hpp"

#include <sys/mman.h>
#include <sys/types.h>

#include <chrono>
#include <new>
#include <stdexcept>

namespace evaljob::bench {

namespace {
DiskCounts* counts = nullptr;  // shared with forked processes
}

DiskCounts& disk_counts() {
    if (counts == nullptr) {
        void* shared = ::mmap(nullptr, sizeof(DiskCounts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) throw std::runtime_error("mmap failed");
        counts = new (shared) DiskCounts;
    }
    return *counts;
}

}  // namespace evaljob::bench

// evaljob::disk::write(int, const char*, size_t) and evaljob::disk::sync(int), by the names that the linker knows.
extern "C" {
ssize_t __real__ZN7evaljob4disk5writeEiPKcm(int descriptor, const char* bytes, std::size_t size);
int __real__ZN7evaljob4disk4syncEi(int descriptor);

ssize_t __wrap__ZN7evaljob4disk5writeEiPKcm(int descriptor, const char* bytes, std::size_t size) {
    const ssize_t wrote = __real__ZN7evaljob4disk5writeEiPKcm(descriptor, bytes, size);
    if (evaljob::bench::counts != nullptr && wrote > 0)
        evaljob::bench::counts->bytes += static_cast<std::uint64_t>(wrote);
    return wrote;
}

int __wrap__ZN7evaljob4disk4syncEi(int descriptor) {
    const auto begun = std::chrono::steady_clock::now();
    const int result = __real__ZN7evaljob4disk4syncEi(descriptor);
    const auto took = std::chrono::steady_clock::now() - begun;
    if (evaljob::bench::counts != nullptr) {
        ++evaljob::bench::counts->syncs;
        evaljob::bench::counts->sync_us +=
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    }
    return result;
}
}
