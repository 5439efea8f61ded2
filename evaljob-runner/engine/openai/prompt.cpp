#include "evaljob-runner/engine/openai/prompt.hpp"

#include <algorithm>
#include <utility>

#include "api/json.hpp"
#include "evaljob-runner/engine/openai/options.hpp"

namespace evaljob::openai {

namespace {

/// Between the quotes.
std::string escaped(const std::string& text) {
    const std::string quoted = Json(text).dump();
    return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

const JsonMember* find_member(const std::vector<JsonMember>& members, std::string_view key) {
    for (const JsonMember& member : members)
        if (member.key == key) return &member;
    return nullptr;
}

Result<Prompt> Prompt::read(const std::string& text) {
    constexpr const char* mend =
        "; {member} stands for a sample's member, {member?} for one that a sample may lack, {{ and }} for braces";
    Prompt prompt;
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
        if (text[i] != '{' && text[i] != '}') {
            plain += text[i];
        } else if (doubled) {
            plain += text[i++];
        } else if (text[i] == '}') {
            return fail("BadInput", std::string("task.prompt: has a } without {") + mend);
        } else {
            const std::size_t end = text.find_first_of("{}", i + 1);
            std::string name = text.substr(i + 1, end == std::string::npos ? end : end - i - 1);
            const bool is_optional = name.ends_with('?');
            if (is_optional) name.pop_back();
            if (end == std::string::npos || text[end] == '{' || name.empty())
                return fail("BadInput", std::string("task.prompt: has a { without a name and }") + mend);
            prompt.pieces_.push_back({escaped(std::exchange(plain, {}))});
            prompt.pieces_.push_back({std::move(name), true, is_optional});
            i = end;
        }
    }
    prompt.pieces_.push_back({escaped(plain)});
    return prompt;
}

bool Prompt::names_options() const {
    return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) {
        const bool is_letter = piece.text.size() == 1 && piece.text >= "A" && piece.text <= "Z";
        return piece.is_member && (is_letter || piece.text == "options");
    });
}

Result<std::string> Prompt::for_sample(const std::vector<JsonMember>& members) const {
    const std::vector<Option> options = options_of(members);
    std::string text = "\"";
    for (const Piece& piece : pieces_) {
        if (!piece.is_member) {
            text += piece.text;
            continue;
        }
        const JsonMember* member = find_member(members, piece.text);
        const bool is_there = member != nullptr && !(piece.is_optional && member->value == "null");
        if (is_there && member->value.starts_with('"'))
            text += member->value.substr(1, member->value.size() - 2);
        else if (is_there)
            text += escaped(std::string(member->value));
        else if (piece.text == "options" && !options.empty())
            text += option_lines(options);
        else if (!piece.is_optional)
            return fail("BadInput", "the sample has no " + piece.text + ", which task.prompt names; {" + piece.text +
                                        "?} stands for one that a sample may lack");
    }
    if (!options.empty() && !names_options()) text += options_behind(options);
    return text + '"';
}

}  // namespace evaljob::openai
