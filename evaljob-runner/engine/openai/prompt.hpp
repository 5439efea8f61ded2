// task.prompt: a text in which {question} stands for a sample's member. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json_members.hpp"
#include "api/result.hpp"

namespace evaljob::openai {

class Prompt {
public:
    /// Fails with BadInput when braces do not fit each other.
    static Result<Prompt> read(const std::string& text);

    /// The text for a sample with these members, as a JSON string: a text stands as it does in the sample, escapes and
    /// all; anything else as its JSON. {hint?}: nothing where the sample has none. {options}: its options, a line each;
    /// where the prompt names no option, they stand behind it. Fails with BadInput when the sample has no such member.
    Result<std::string> for_sample(const std::vector<JsonMember>& members) const;

private:
    struct Piece {
        std::string text;  // of a JSON string, or the member's name
        bool is_member = false;
        bool is_optional = false;
    };
    bool names_options() const;

    std::vector<Piece> pieces_;
};

const JsonMember* find_member(const std::vector<JsonMember>& members, std::string_view key);

}  // namespace evaljob::openai
