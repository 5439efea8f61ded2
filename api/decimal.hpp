// Numbers as people read them: fixed point, rounded, independent of any locale. Every score that is shown comes from
// here, so that the terminal, the report and kubectl say the same. Pure.
#pragma once

#include <string>
#include <string_view>

namespace evaljob {

/// With exactly so many digits, the nearest; of two equally near ones that which is further from 0. "nan", "inf" and
/// "-inf" are those words.
std::string decimal(double value, int digits);

/// The same of a number that is one in fixed point already, as scores are published: rounded("0.666667", 4) = "0.6667".
/// Whatever else it is stays as it is.
std::string rounded(std::string_view number, int digits);

/// In hundredths: percent_of("0.666667", 2) = "66.67". Whatever is no number in fixed point stays as it is.
std::string percent_of(std::string_view number, int digits);

}  // namespace evaljob
