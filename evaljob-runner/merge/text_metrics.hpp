// How a text is compared with a right one. Pure. docs/results.md says what each comparison overlooks.
#pragma once

#include <string>
#include <string_view>

#include "api/evaljob.hpp"

namespace evaljob {

/// As SQuAD's evaluation has it: lower case, without ASCII punctuation, without the words a, an and the, white space as
/// single spaces. But a step that would leave nothing leaves the text as it is: the answer A is no empty one. Bytes
/// that are no UTF-8 stay as they are.
std::string normalized_text(std::string_view text);

bool matches(TaskMetric metric, std::string_view prediction, std::string_view target);

}  // namespace evaljob
