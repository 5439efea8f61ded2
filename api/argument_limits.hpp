// What the kernel takes of a program's argument, in bytes: a longer one is refused before anything is started. The API
// server counts characters, and cannot say it. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "api/evaljob.hpp"

namespace evaljob {

inline constexpr std::size_t max_argument_bytes = 128 * 1024 - 1;  // Linux: MAX_ARG_STRLEN, with its NUL

/// "spec.template.spec.containers[0].args[2]: …" of the first argument or variable that no program can be started with:
/// of the template's containers, the model's command, the scorers'. Empty: there is none.
std::string too_long_argument(const EvalJobSpec& spec);

}  // namespace evaljob
