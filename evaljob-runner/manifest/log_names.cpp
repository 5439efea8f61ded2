#include "evaljob-runner/manifest/log_names.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob {

namespace {

bool is_log_path(const std::string& line) {
    const std::filesystem::path path(line);
    return line.starts_with("runs/") && line.ends_with(".shard") && line.find('\0') == std::string::npos &&
           std::find(path.begin(), path.end(), "..") == path.end();
}

/// Of those that are listed, and of those behind them, which a listing need not show.
std::set<std::uint32_t> epochs_up_to(const std::string& shared_dir, std::uint32_t last) {
    std::set<std::uint32_t> numbers;
    for (const auto& name : list_files(layout::epochs(shared_dir), "").value_or(std::vector<std::string>())) {
        std::uint32_t number = 0;
        std::from_chars(name.data(), name.data() + name.size(), number);
        if (number > 0 && number <= last) numbers.insert(number);
    }
    for (std::uint32_t number = numbers.empty() ? 1 : *numbers.rbegin() + 1; number <= last; ++number)
        numbers.insert(number);
    return numbers;
}

}  // namespace

Result<LogNames> LogNames::open(const std::string& shared_dir, std::uint32_t epoch) {
    auto file = LogFile::reopen(layout::epoch(shared_dir, epoch));
    if (!file) return tl::unexpected(file.error());
    return LogNames(std::move(*file));
}

void LogNames::add(const std::string& name) {
    if (known_.insert(name).second) unwritten_ += name + "\n";
}

Result<void> LogNames::commit() {
    if (unwritten_.empty()) return {};
    if (auto appended = file_.append(std::exchange(unwritten_, {})); !appended) return appended;
    return file_.commit();
}

std::set<std::string> log_names_in(std::string_view text) {
    std::set<std::string> names;
    for (std::size_t start = 0, end = 0; (end = text.find('\n', start)) != std::string_view::npos; start = end + 1)
        if (std::string line(text.substr(start, end - start)); is_log_path(line)) names.insert(std::move(line));
    return names;
}

std::vector<std::string> named_logs(const std::string& shared_dir, std::uint32_t epoch) {
    std::set<std::string> names;
    for (const std::uint32_t number : epochs_up_to(shared_dir, epoch)) {
        const auto text = read_file(layout::epoch(shared_dir, number), layout::max_epoch_bytes);
        if (!text) continue;  // what it names is listed, sooner or later
        names.merge(log_names_in(*text));
    }
    return {names.begin(), names.end()};
}

}  // namespace evaljob
