// What a server wants to know its client by, from the variables that the EvalJob names. Pure.
#pragma once

#include <string>

#include "api/contract.hpp"
#include "api/result.hpp"

namespace evaljob::openai {

/// Empty when no variable is named. White space around it is taken off: files that Secrets are made from end with a
/// line's end. Fails with BadInput; the message never shows the value.
Result<std::string> api_key(const std::string& variable, const Environment& environment);

/// The same for a header's whole value, which may have spaces within. `field` begins the message.
Result<std::string> header_value(const std::string& field, const std::string& variable, const Environment& environment);

}  // namespace evaljob::openai
