#include "cli/progress_view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "api/printable.hpp"
#include "api/utf8.hpp"

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

bool all_done(const RunView& view) { return view.samples_done >= view.samples_total; }

bool waits(const RunView& view) { return !view.waiting_for.empty() && (view.samples_total <= 0 || !all_done(view)); }

std::string waiting_words(const RunView& view) { return "waiting for " + printable(view.waiting_for); }

/// "2.4/s", "18/min"
std::string short_rate(double per_second) {
    const Rate rate = rate_of(per_second);
    return rate.number + (rate.unit == Rate::Unit::Second ? "/s" : rate.unit == Rate::Unit::Minute ? "/min" : "/h");
}

std::string rate_words(double per_second) {
    const Rate rate = rate_of(per_second);
    return rate.number + (rate.unit == Rate::Unit::Second   ? " a second"
                          : rate.unit == Rate::Unit::Minute ? " a minute"
                                                            : " an hour");
}

/// So many characters of it as a terminal has columns for.
std::string cut(const std::string& text, int width) {
    std::size_t end = 0;
    for (int column = 0; column < width && end < text.size(); ++column) {
        const std::size_t length = character_length(std::string_view(text).substr(end));
        end += std::max<std::size_t>(1, length);
    }
    return text.substr(0, end);
}

}  // namespace

Rate rate_of(double per_second) {
    Rate rate;
    if (per_second < 0.1) {
        rate.unit = per_second < 0.1 / 60 ? Rate::Unit::Hour : Rate::Unit::Minute;
        per_second *= rate.unit == Rate::Unit::Hour ? 3600 : 60;
    }
    if (per_second >= 9.95) {
        rate.number = with_commas(std::llround(per_second));
        return rate;
    }
    // Two digits that count: nobody reads more, and 0.31 is not 0.
    std::array<char, 32> text{};
    const int decimals = per_second >= 0.995 ? 1 : 2;
    std::snprintf(text.data(), text.size(), "%.*f", decimals, per_second);
    rate.number = text.data();
    return rate;
}

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
    std::string tail = " " + std::to_string(percent_of(view)) + " %  " + with_commas(view.samples_done) + "/" +
                       with_commas(view.samples_total);
    const bool known = view.samples_total > 0;
    if (waits(view)) return cut(head + (known ? tail + "  " : " ") + waiting_words(view), width);
    if (!known) return cut(head + " nodes " + view.nodes, width);
    if (view.samples_per_second > 0) tail += "  " + short_rate(view.samples_per_second);
    if (view.samples_per_second > 0 && !all_done(view)) tail += "  ETA " + duration_words(view.eta_seconds);
    if (!all_done(view)) tail += "  " + ranks(view);  // afterwards they have gone, as they should
    const int cells = std::min(40, width - static_cast<int>(head.size() + tail.size()) - 1);
    if (cells < 5) return cut(head + tail, width);
    const double share = static_cast<double>(view.samples_done) / static_cast<double>(view.samples_total);
    return head + bar(share, cells) + tail;
}

std::string plain_line(const RunView& view) {
    if (view.samples_total <= 0)
        return view.status + ": " + (waits(view) ? waiting_words(view) : "nodes " + view.nodes);
    std::string line = view.status + ": " + with_commas(view.samples_done) + " of " + with_commas(view.samples_total) +
                       " samples (" + std::to_string(percent_of(view)) + " %)";
    if (view.samples_per_second > 0) line += ", " + rate_words(view.samples_per_second);
    if (all_done(view)) return line;
    line += ", " + ranks(view);
    if (waits(view)) return line + ", " + waiting_words(view);
    if (view.samples_per_second > 0) line += ", ETA " + duration_words(view.eta_seconds);
    return line;
}

}  // namespace evaljob
