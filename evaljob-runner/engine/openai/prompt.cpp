#include "evaljob-runner/engine/openai/prompt.hpp"

#include <utility>

#include "api/json.hpp"

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
    constexpr const char* mend = "; {member} stands for a sample's member, {{ and }} for braces";
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
            if (end == std::string::npos || text[end] == '{' || end == i + 1)
                return fail("BadInput", std::string("task.prompt: has a { without a name and }") + mend);
            prompt.pieces_.push_back({escaped(std::exchange(plain, {})), false});
            prompt.pieces_.push_back({text.substr(i + 1, end - i - 1), true});
            i = end;
        }
    }
    prompt.pieces_.push_back({escaped(plain), false});
    return prompt;
}

Result<std::string> Prompt::for_sample(const std::vector<JsonMember>& members) const {
    std::string text = "\"";
    for (const Piece& piece : pieces_) {
        if (!piece.is_member) {
            text += piece.text;
            continue;
        }
        const JsonMember* member = find_member(members, piece.text);
        if (member == nullptr) return fail("BadInput", "the sample has no " + piece.text + ", which task.prompt names");
        if (member->value.starts_with('"'))
            text += member->value.substr(1, member->value.size() - 2);
        else
            text += escaped(std::string(member->value));
    }
    return text + '"';
}

}  // namespace evaljob::openai
