// The names of shard logs that count, as coordinators have written them down: a line each in the file of the
// coordinator's epoch. A network file system may list a folder as it was half a minute ago, but what is opened by its
// name is there. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/result.hpp"
#include "evaljob-runner/storage/log_file.hpp"

namespace evaljob {

class LogNames {
public:
    /// In the file of an epoch that this process has claimed. Fails as LogFile does.
    static Result<LogNames> open(const std::string& shared_dir, std::uint32_t epoch);

    /// Relative to the shared folder. Added or not, a name is written once.
    bool knows(const std::string& name) const { return known_.contains(name); }
    void add(const std::string& name);
    /// Makes durable what was added. Nothing that such a log holds counts before.
    Result<void> commit();

private:
    explicit LogNames(LogFile file) : file_(std::move(file)) {}
    LogFile file_;
    std::set<std::string> known_;
    std::string unwritten_;
};

/// The logs' paths in such a file; what is none, and a last line without an end, is passed over. Pure.
std::set<std::string> log_names_in(std::string_view text);

/// All that coordinators up to this epoch have written down, sorted. Files of epochs are opened by their numbers where
/// the listing may not show them yet.
std::vector<std::string> named_logs(const std::string& shared_dir, std::uint32_t epoch);

}  // namespace evaljob
