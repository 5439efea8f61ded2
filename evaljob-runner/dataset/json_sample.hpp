// One line of a JSONL dataset as a sample. Pure; the line is untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "evaljob-runner/dataset/dataset.hpp"

namespace evaljob {

/// `id` names the sample (a text or an integer; absent: `number`, the line's), `target` is the right answer or a list
/// of right ones, and everything else is its input. Fails with BadInput; the message is for a reader who knows the
/// line.
Result<Sample> read_json_sample(std::string_view line, std::uint64_t number, const Task& task);

}  // namespace evaljob
