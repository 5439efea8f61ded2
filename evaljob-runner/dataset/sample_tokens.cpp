#include "evaljob-runner/dataset/sample_tokens.hpp"

#include <charconv>
#include <vector>

#include "api/json_members.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t most_tokens = 2'147'483'647;

bool is_image(const JsonMember& member) { return member.key == "image" || member.key == "image_path"; }

std::uint64_t estimate(const std::vector<JsonMember>& members) {
    std::uint64_t tokens = 0;
    bool has_image = false;
    for (const JsonMember& member : members) {
        const auto text = json_string_bytes(member.value);
        if (is_image(member))
            has_image = has_image || !text || !text->empty();
        else
            tokens += text ? text->size() : member.value.size();
    }
    return tokens + (has_image ? tokens_of_an_image : 0);
}

Result<std::uint64_t> count_in(const JsonMember& member) {
    const std::string text = json_string_bytes(member.value).value_or(std::string(member.value));  // TSV: a text
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > most_tokens)
        return fail("BadInput",
                    member.key + ", which tokensBy names, must be an integer from 1 to " + std::to_string(most_tokens));
    return count;
}

}  // namespace

Result<std::uint64_t> tokens_of(const Sample& sample, const std::string& tokens_by) {
    if (sample.input.empty()) return tokens_of_an_image;  // IDX
    const auto members = json_members(sample.input, Strictness::Json);
    if (!members) return tl::unexpected(members.error());
    if (tokens_by.empty()) return estimate(*members);
    for (const JsonMember& member : *members)
        if (member.key == tokens_by) return count_in(member);
    return fail("BadInput",
                "has no " + tokens_by + ", which tokensBy names; give every sample one, or remove tokensBy");
}

}  // namespace evaljob
