#include "evaljob-runner/storage/mapped_file.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "api/exit_code.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::size_t most_named = 64;  // mappings at a time that a fault can be told of; there are two or three
constexpr std::size_t longest_name = 1024;

/// What is mapped, for a signal that may come at any byte: no locks, no memory of its own.
struct Named {
    std::atomic<const char*> begin{nullptr};
    std::size_t size = 0;
    char path[longest_name] = {};
};
std::array<Named, most_named> mapped_files;
std::mutex naming;

void say(const char* text) { [[maybe_unused]] const auto wrote = ::write(STDERR_FILENO, text, std::strlen(text)); }

/// A page that cannot be had: the file was cut short behind our back, or its disk has failed. Nothing can go on from
/// there, but another try may.
void on_bus_error(int number, siginfo_t* info, void*) {
    const auto* at = static_cast<const char*>(info->si_addr);
    for (const Named& file : mapped_files) {
        const char* begin = file.begin;
        if (begin == nullptr || at < begin || at >= begin + file.size) continue;
        say("error ");
        say(file.path);
        say(": was cut short, or its disk failed, while it was read\n");
        ::_exit(exit_code::storage);
    }
    ::signal(number, SIG_DFL);  // not ours: it comes again, and ends the process as it would have
}

void await_bus_errors() {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &action, nullptr);
}

void name_mapping(const char* begin, std::size_t size, const std::string& path) {
    static std::once_flag once;
    std::call_once(once, await_bus_errors);
    const std::lock_guard lock(naming);
    for (Named& file : mapped_files) {
        if (file.begin != nullptr) continue;
        path.copy(file.path, longest_name - 1);
        file.path[std::min(path.size(), longest_name - 1)] = '\0';
        file.size = size;
        file.begin = begin;  // last: from here on it is looked at
        return;
    }
}

void forget_mapping(const char* begin) {
    for (Named& file : mapped_files)
        if (file.begin == begin) file.begin = nullptr;
}

}  // namespace

Result<MappedFile> MappedFile::map(int descriptor, std::uint64_t size, const std::string& path) {
    if (size == 0) return MappedFile(std::string_view());  // mmap refuses a length of 0
    const char* start = disk::map(descriptor, size);
    if (start == nullptr) return read_failure(path, errno);
    name_mapping(start, size, path);
    return MappedFile(std::string_view(start, size));
}

Result<MappedFile> MappedFile::open(const std::string& path) {
    const auto opened = open_regular(path);
    if (!opened) return tl::unexpected(opened.error());
    return map(opened->file.get(), opened->size, path);
}

Result<MappedFile> MappedFile::open_durable(const std::string& path) {
    const auto opened = open_regular(path);
    if (!opened) return tl::unexpected(opened.error());
    if (disk::sync(opened->file.get()) != 0) return fail("WriteFailed", path + ": fsync: " + std::strerror(errno));
    disk::forget_cached(opened->file.get());
    // A writer may have appended since: only the size of before the fsync is known to be durable.
    return map(opened->file.get(), opened->size, path);
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) forget_mapping(bytes_.data());
    if (!bytes_.empty()) disk::unmap(bytes_.data(), bytes_.size());
}

}  // namespace evaljob
