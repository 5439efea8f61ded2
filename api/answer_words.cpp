#include "api/answer_words.hpp"

namespace evaljob {

std::string answer_words(const AnswerCounts& answers) {
    std::string words;
    const auto add = [&](std::int64_t count, const char* what) {
        if (count > 0) words += (words.empty() ? "" : ", ") + std::to_string(count) + " " + what;
    };
    add(answers.empty, "empty");
    add(answers.truncated, "truncated (the limit of tokens ended them)");
    add(answers.filtered, "filtered (by the server)");
    add(answers.refused, "refused (by the server)");
    return words;
}

}  // namespace evaljob
