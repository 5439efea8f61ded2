#include "cli/progress_view.hpp"

#include <algorithm>
#include <cmath>

namespace evaljob {

namespace {

int percent_of(const RunView& view) {
    if (view.samples_total <= 0) return 0;
    return static_cast<int>(100 * view.samples_done / view.samples_total);
}

std::string bar(double share, int cells) {
    const int full = static_cast<int>(std::floor(std::clamp(share, 0.0, 1.0) * cells));
    std::string text;
    for (int i = 0; i < cells; ++i) text += i < full ? "█" : "░";
    return text;
}

std::string ranks(const RunView& view) {
    return "ranks " + std::to_string(view.ranks_connected) + "/" + std::to_string(view.world_size);
}

}  // namespace

std::string with_commas(std::int64_t number) {
    std::string digits = std::to_string(number < 0 ? -number : number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), ",");
    }
    return number < 0 ? "-" + digits : digits;
}

std::string duration_words(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
    if (whole < 60) return std::to_string(whole) + " s";
    if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

std::string bar_line(const RunView& view, int width) {
    std::string head = view.status;
    head.resize(std::max<std::size_t>(head.size(), 10), ' ');
    if (view.samples_total <= 0) {
        return (head + " nodes " + view.nodes).substr(0, static_cast<std::size_t>(std::max(0, width)));
    }
    std::string tail = " " + std::to_string(percent_of(view)) + " %  " + with_commas(view.samples_done) + "/" +
                       with_commas(view.samples_total);
    if (view.samples_per_second > 0) {
        tail +=
            "  " + with_commas(std::llround(view.samples_per_second)) + "/s  ETA " + duration_words(view.eta_seconds);
    }
    tail += "  " + ranks(view);
    const int cells = std::min(40, width - static_cast<int>(head.size() + tail.size()) - 1);
    if (cells < 5) return (head + tail).substr(0, static_cast<std::size_t>(std::max(0, width)));
    const double share = static_cast<double>(view.samples_done) / static_cast<double>(view.samples_total);
    return head + bar(share, cells) + tail;
}

std::string plain_line(const RunView& view) {
    if (view.samples_total <= 0) return view.status + ": nodes " + view.nodes;
    std::string line = view.status + ": " + with_commas(view.samples_done) + " of " + with_commas(view.samples_total) +
                       " samples (" + std::to_string(percent_of(view)) + " %)";
    if (view.samples_per_second > 0) line += ", " + with_commas(std::llround(view.samples_per_second)) + " a second";
    line += ", " + ranks(view);
    if (view.samples_per_second > 0 && view.samples_done < view.samples_total) {
        line += ", ETA " + duration_words(view.eta_seconds);
    }
    return line;
}

}  // namespace evaljob
