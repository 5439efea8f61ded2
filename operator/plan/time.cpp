#include "operator/plan/time.hpp"

#include <array>
#include <cstdio>

namespace evaljob {
namespace {

/// The number in text[at, at + digits), or -1.
int number(std::string_view text, std::size_t at, std::size_t digits) {
    int value = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

}  // namespace

std::string rfc3339(UnixSeconds time) {
    using namespace std::chrono;
    const sys_seconds point{seconds{time}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss clock{point - day};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

UnixSeconds from_rfc3339(std::string_view text) {
    using namespace std::chrono;
    if (text.size() < 20 || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
        text[13] != ':' || text[16] != ':')
        return 0;
    const int parts[] = {number(text, 0, 4),  number(text, 5, 2),  number(text, 8, 2),
                         number(text, 11, 2), number(text, 14, 2), number(text, 17, 2)};
    for (const int part : parts)
        if (part < 0) return 0;
    const year_month_day date{year{parts[0]}, month{static_cast<unsigned>(parts[1])},
                              day{static_cast<unsigned>(parts[2])}};
    if (!date.ok()) return 0;
    const sys_seconds point = sys_days{date} + hours{parts[3]} + minutes{parts[4]} + seconds{parts[5]};
    return point.time_since_epoch().count();
}

}  // namespace evaljob
