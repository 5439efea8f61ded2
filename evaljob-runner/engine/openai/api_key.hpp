// The key that a server wants, from the variable that the EvalJob names. Pure.
#pragma once

#include <string>

#include "api/contract.hpp"
#include "api/result.hpp"

namespace evaljob::openai {

/// Empty when no variable is named. White space around it is taken off: files that Secrets are made from end with a
/// line's end. Fails with BadInput; the message never shows the value.
Result<std::string> api_key(const std::string& variable, const Environment& environment);

}  // namespace evaljob::openai
