// What libtorch's errors say, for a person. Pure.
#pragma once

#include <string>

namespace evaljob {

/// libtorch's messages go on for a screen, with the model's source and a stack. What is wrong is said in the last line
/// that names an error, or else in the first.
std::string essence_of(const std::string& text);

}  // namespace evaljob
