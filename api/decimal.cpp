#include "api/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

namespace evaljob {

namespace {

/// So many digits more than are asked for: a number that is not half way between two others shows it in these.
constexpr int exact_digits = 30;

struct FixedPoint {
    bool negative = false;
    std::string whole;
    std::string fraction;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<FixedPoint> fixed_point(std::string_view text) {
    FixedPoint number;
    number.negative = text.starts_with('-');
    if (number.negative) text.remove_prefix(1);
    const auto point = std::min(text.find('.'), text.size());
    number.whole = text.substr(0, point);
    number.fraction = text.substr(std::min(point + 1, text.size()));
    const bool cut = point < text.size() && number.fraction.empty();  // "1."
    const bool digits = std::all_of(number.whole.begin(), number.whole.end(), is_digit) &&
                        std::all_of(number.fraction.begin(), number.fraction.end(), is_digit);
    if (number.whole.empty() || cut || !digits) return std::nullopt;
    return number;
}

/// Adds one to the last of the digits; true when they run over.
bool count_up(std::string& digits) {
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
        if (*digit != '9') {
            ++*digit;
            return false;
        }
        *digit = '0';
    }
    return true;
}

std::string text_of(FixedPoint number, int digits) {
    const auto wanted = static_cast<std::size_t>(std::max(digits, 0));
    const bool up = number.fraction.size() > wanted && number.fraction[wanted] >= '5';
    number.fraction.resize(wanted, '0');
    if (up && count_up(number.fraction) && count_up(number.whole)) number.whole.insert(0, 1, '1');
    const std::string all = number.whole + number.fraction;
    const bool is_zero = all.find_first_not_of('0') == std::string::npos;
    return (number.negative && !is_zero ? "-" : "") + number.whole + (wanted > 0 ? "." : "") + number.fraction;
}

}  // namespace

std::string decimal(double value, int digits) {
    if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    char buffer[400];  // 309 digits in front of the point
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits + exact_digits);
    return rounded(std::string_view(buffer, end.ptr), digits);
}

std::string rounded(std::string_view number, int digits) {
    auto read = fixed_point(number);
    return read ? text_of(std::move(*read), digits) : std::string(number);
}

std::string percent_of(std::string_view number, int digits) {
    auto read = fixed_point(number);
    if (!read) return std::string(number);
    read->fraction.resize(std::max<std::size_t>(read->fraction.size(), 2), '0');
    read->whole += read->fraction.substr(0, 2);
    read->fraction.erase(0, 2);
    read->whole.erase(0, std::min(read->whole.find_first_not_of('0'), read->whole.size() - 1));
    return text_of(std::move(*read), digits);
}

}  // namespace evaljob
