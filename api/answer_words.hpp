// What a person is told of answers that look like answers and may be none. Pure.
#pragma once

#include <string>

#include "api/evaljob.hpp"

namespace evaljob {

/// "8 empty, 3 truncated (the limit of tokens ended them)"; empty when there is nothing to say.
std::string answer_words(const AnswerCounts& answers);

}  // namespace evaljob
