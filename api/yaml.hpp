// EvalJob files: YAML or JSON text ↔ Json. Untrusted input: size, depth and the number of values are limited.
//
// Scalars are read as kubectl reads them, so that one file means the same here and in a cluster: plain yes/no/on/off
// are booleans, quoted scalars are strings. What is ambiguous or would lose digits is refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob {

inline constexpr std::size_t max_yaml_bytes = 1U << 20U;
inline constexpr std::size_t max_yaml_values = 200'000;  // with what aliases repeat
inline constexpr std::size_t max_yaml_depth = 100;

/// Exactly one document. Fails with InvalidYaml: "job.yaml:3:7: the key \"path\" stands here a second time"; `file` is
/// only the name in messages.
Result<Json> parse_yaml(std::string_view text, const std::string& file);

/// The same from a file. Fails with NotFound, ReadFailed or TooLarge, naming it; "-" is standard input.
Result<Json> read_yaml_file(const std::string& path);

/// Block style, keys sorted; parse_yaml gives the same value again.
std::string to_yaml(const Json& value);

}  // namespace evaljob
