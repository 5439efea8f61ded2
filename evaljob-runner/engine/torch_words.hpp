// What libtorch's errors say, for a person. Pure.
#pragma once

#include <string>

#include "evaljob-runner/engine/in_parts.hpp"

namespace evaljob {

/// libtorch's messages go on for a screen, with the model's source and a stack. What is wrong is said in the last line
/// that names an error, or else in the first.
std::string essence_of(const std::string& text);

/// True when it says that memory ran out, the device's or the machine's. TorchScript leaves of an exception its text
/// alone.
bool tells_of_no_memory(const std::string& text);

/// What a part of a batch comes to when libtorch has thrown this. `hopeless`: what it means when that happens to every
/// sample; a sentence, behind which libtorch's words are put. A device that computes nothing any more in this process
/// is an Error, which another process may not have.
Computed thrown(const std::string& text, const std::string& hopeless);

}  // namespace evaljob
