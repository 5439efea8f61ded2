// Base64, as Secrets hold their values. Pure.
#pragma once

#include <optional>
#include <string>

namespace evaljob {

std::string base64_encode(const std::string& bytes);
/// Nothing when the text is no base64.
std::optional<std::string> base64_decode(const std::string& text);

}  // namespace evaljob
