#include "evaljob-runner/engine/openai/options.hpp"

#include "api/json.hpp"
#include "evaljob-runner/engine/openai/prompt.hpp"

namespace evaljob::openai {

namespace {

constexpr const char* request = R"(Please select the correct answer from the options above. \n)";

/// Between the quotes; empty when there is nothing, or what cannot be an option.
std::string text_of(std::string_view value) {
    if (value.starts_with('"')) return std::string(value.substr(1, value.size() - 2));
    if (value.starts_with('{') || value.starts_with('[') || value == "null") return "";
    return std::string(value);
}

std::string asked(const std::vector<Option>& options) {
    return R"(Options:\n)" + option_lines(options) + R"(\n)" + request;
}

}  // namespace

std::vector<Option> options_of(const std::vector<JsonMember>& members) {
    std::vector<Option> options;
    for (char letter = 'A'; letter <= 'Z'; ++letter)
        if (const JsonMember* member = find_member(members, std::string(1, letter)))
            if (std::string text = text_of(member->value); !text.empty()) options.push_back({letter, std::move(text)});
    if (options.size() < 2 || options.front().letter > 'B') return {};
    return options;
}

std::string option_lines(const std::vector<Option>& options) {
    std::string lines;
    for (const Option& option : options)
        lines += (lines.empty() ? "" : R"(\n)") + std::string(1, option.letter) + ". " + option.text;
    return lines;
}

std::string multiple_choice(const std::vector<JsonMember>& members, std::string_view question,
                            const std::vector<Option>& options) {
    std::string text = "\"";
    if (const JsonMember* hint = find_member(members, "hint"))
        if (const std::string given = text_of(hint->value); !given.empty()) text += "Hint: " + given + R"(\n)";
    return text + "Question: " + std::string(question.substr(1, question.size() - 2)) + R"(\n)" + asked(options) + "\"";
}

std::string options_behind(const std::vector<Option>& options) { return R"(\n)" + asked(options); }

}  // namespace evaljob::openai
