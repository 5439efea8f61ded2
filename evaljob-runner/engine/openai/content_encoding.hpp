// A body that was compressed on its way. Pure; it is untrusted.
#pragma once

#include <cstddef>
#include <string>

#include "api/result.hpp"

namespace evaljob::openai {

/// `encoding`: the header Content-Encoding; empty, "identity" and "gzip" are understood. Fails with TooLarge when there
/// are more than `limit` bytes, with Garbled when it is damaged, or encoded otherwise.
Result<std::string> decode_content(const std::string& encoding, std::string body, std::size_t limit);

}  // namespace evaljob::openai
