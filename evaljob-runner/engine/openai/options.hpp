// The options of a multiple-choice sample, as a message of the user asks for them: as VLMEvalKit does. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/json_members.hpp"

namespace evaljob::openai {

struct Option {
    char letter = 'A';
    std::string text;  // of a JSON string, between the quotes
};

/// The members A to Z that hold a text, a number or a boolean, each under its own letter. They are options when there
/// are two of them or more, with A or B among them; else there are none: a member A alone is no option.
std::vector<Option> options_of(const std::vector<JsonMember>& members);

/// "A. apple\nB. stone", between the quotes of a JSON string.
std::string option_lines(const std::vector<Option>& options);

/// The whole question: hint, question and options. `question` is a JSON string; so is what comes back.
std::string multiple_choice(const std::vector<JsonMember>& members, std::string_view question,
                            const std::vector<Option>& options);

/// What is put behind a prompt that names none of the options, between the quotes of a JSON string.
std::string options_behind(const std::vector<Option>& options);

}  // namespace evaljob::openai
