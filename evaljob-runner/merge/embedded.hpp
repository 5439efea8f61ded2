// Files of this folder that are part of the program; embedded.cpp is made from them when CMake configures.
#pragma once

#include <string_view>

namespace evaljob::embedded {

extern const std::string_view report_template;  // report.html.mustache
extern const std::string_view report_style;     // report.css

}  // namespace evaljob::embedded
