#include "evaljob-runner/engine/text_model.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "api/json_members.hpp"
#include "api/json_text.hpp"
#include "api/utf8.hpp"

namespace evaljob {

namespace {

constexpr std::size_t max_token_bytes = 1024;
constexpr std::int64_t max_tokens_of_a_text = std::int64_t{1} << 24U;
constexpr std::int64_t max_side = 65'535;

tl::unexpected<Error> bad(const std::string& what) { return fail("BadInput", what); }

/// A whole number between two others; absent: `otherwise`.
Result<std::int64_t> number(const Json& object, const char* key, std::int64_t low, std::int64_t high,
                            std::optional<std::int64_t> otherwise) {
    const auto found = object.find(key);
    if (found == object.end() && otherwise) return *otherwise;
    const bool whole = found != object.end() && found->is_number_integer() &&
                       (!found->is_number_unsigned() || found->get<std::uint64_t>() <= INT64_MAX);
    if (!whole || found->get<std::int64_t>() < low || found->get<std::int64_t>() > high)
        return bad(std::string(key) + " must be a whole number from " + std::to_string(low) + " to " +
                   std::to_string(high));
    return found->get<std::int64_t>();
}

Result<std::vector<std::string>> read_tokens(const Json& object) {
    const auto found = object.find("tokens");
    if (found == object.end() || !found->is_array() || found->empty())
        return bad("tokens must be the list of all tokens' texts");
    std::vector<std::string> tokens;
    for (const Json& token : *found) {
        std::string text;
        if (!text_from_json(token, text) || text.size() > max_token_bytes)
            return bad("token " + std::to_string(tokens.size()) + " must be a text of at most " +
                       std::to_string(max_token_bytes) + " bytes, or {\"base64\": …}");
        tokens.push_back(std::move(text));
    }
    return tokens;
}

/// A list of tokens by their numbers.
Result<std::vector<Token>> read_numbers(const Json& list, const char* key, Token last) {
    std::vector<Token> tokens;
    for (const Json& token : list) {
        const auto read = number(Json::object({{key, token}}), key, 0, last, {});
        if (!read) return tl::unexpected(read.error());
        tokens.push_back(*read);
    }
    return tokens;
}

Result<void> read_special(const Json& object, TextModel& model) {
    const auto last = static_cast<std::int64_t>(model.tokens.size()) - 1;
    const auto pad = number(object, "pad", 0, last, {});
    if (!pad) return tl::unexpected(pad.error());
    model.pad = *pad;
    if (object.contains("unknown")) {
        const auto unknown = number(object, "unknown", 0, last, {});
        if (!unknown) return tl::unexpected(unknown.error());
        model.unknown = *unknown;
    }
    for (const auto& [key, into, what] :
         {std::tuple{"stop", &model.stop, "the list of tokens that end a text"},
          std::tuple{"special", &model.special, "a list of tokens that are found in a prompt before it is split"}}) {
        const auto list = object.find(key);
        if (list == object.end() && into == &model.special) continue;
        if (list == object.end() || !list->is_array()) return bad(std::string(key) + " must be " + what);
        auto tokens = read_numbers(*list, key, last);
        if (!tokens) return tl::unexpected(tokens.error());
        *into = std::move(*tokens);
    }
    return {};
}

Result<void> read_image(const Json& object, TextModel& model) {
    const auto channels = number(object, "channels", 0, 3, 0);
    if (!channels || *channels == 2) return bad("channels must be 1 or 3; left out when the model takes no image");
    const auto height = number(object, "height", 0, max_side, 0);
    if (!height) return tl::unexpected(height.error());
    const auto width = number(object, "width", 0, max_side, 0);
    if (!width) return tl::unexpected(width.error());
    if ((*height == 0) != (*width == 0)) return bad("height and width go together");
    model.channels = static_cast<int>(*channels);
    model.height = static_cast<int>(*height);
    model.width = static_cast<int>(*width);
    return {};
}

}  // namespace

bool TextModel::is_stop(Token token) const { return std::find(stop.begin(), stop.end(), token) != stop.end(); }

std::vector<Token> TextModel::all_special() const {
    std::vector<Token> tokens = special;
    tokens.push_back(pad);
    if (unknown) tokens.push_back(*unknown);
    tokens.insert(tokens.end(), stop.begin(), stop.end());
    std::sort(tokens.begin(), tokens.end());
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    return tokens;
}

Result<TextModel> read_text_model(std::string_view json) {
    const Json object = parse_json(json);
    if (!object.is_object()) return bad("is no JSON object");
    if (const auto format = number(object, "format", 1, 1, {}); !format)
        return bad("format must be 1; this program reads no other");
    TextModel model;
    auto tokens = read_tokens(object);
    if (!tokens) return tl::unexpected(tokens.error());
    model.tokens = std::move(*tokens);
    if (auto read = read_special(object, model); !read) return tl::unexpected(read.error());
    if (auto read = read_image(object, model); !read) return tl::unexpected(read.error());
    for (const auto& [key, pattern] : {std::pair{"prompt", &model.prompt}, std::pair{"option", &model.option}}) {
        if (!object.contains(key)) continue;
        if (!object[key].is_string()) return bad(std::string(key) + " must be a text with names in braces");
        *pattern = object[key].get<std::string>();
    }
    const auto prompt_tokens = number(object, "maxPromptTokens", 1, max_tokens_of_a_text, {});
    if (!prompt_tokens) return tl::unexpected(prompt_tokens.error());
    const auto new_tokens = number(object, "maxNewTokens", 1, max_tokens_of_a_text, {});
    if (!new_tokens) return tl::unexpected(new_tokens.error());
    model.max_prompt_tokens = *prompt_tokens;
    model.max_new_tokens = *new_tokens;
    return model;
}

Result<std::string> prompt_of(const std::string& pattern, std::string_view input) {
    const auto members = json_members(input, Strictness::Json);
    if (!members) return bad("its input is no JSON object");
    std::string prompt;
    std::string_view rest = pattern;
    for (;;) {
        const auto open = rest.find('{');
        const auto close = open == std::string_view::npos ? open : rest.find('}', open);
        prompt += rest.substr(0, close == std::string_view::npos ? rest.size() : open);
        if (close == std::string_view::npos) return prompt;
        const std::string_view name = rest.substr(open + 1, close - open - 1);
        const auto member =
            std::find_if(members->begin(), members->end(), [&](const auto& m) { return m.key == name; });
        if (member == members->end()) return bad("it has no " + std::string(name) + ", which the model's prompt names");
        prompt += json_string_bytes(member->value).value_or(std::string(member->value));
        rest.remove_prefix(close + 1);
    }
}

std::vector<LetteredOption> options_of(std::string_view input) {
    std::vector<LetteredOption> options;
    const auto members = json_members(input, Strictness::Json);
    for (char letter = 'A'; members && letter <= 'Z'; ++letter) {
        const auto member = std::find_if(members->begin(), members->end(),
                                         [&](const auto& m) { return m.key == std::string(1, letter); });
        if (member == members->end() || member->value == "null") continue;
        std::string text = json_string_bytes(member->value).value_or(std::string(member->value));
        if (!text.empty()) options.push_back({letter, std::move(text)});
    }
    return options;
}

std::string doubts_of(const TextModel& model) {
    std::unordered_map<std::string, Token> found;
    for (const Token token : model.all_special()) found.emplace(model.tokens[static_cast<std::size_t>(token)], token);
    std::string doubts;
    const auto doubt = [&](const char* role, Token token) {
        const std::string& text = model.tokens[static_cast<std::size_t>(token)];
        const Token first = found.at(text);
        if (!text.empty() && first == token) return;
        doubts += (doubts.empty() ? "" : "; ") + std::string(role) + " " + std::to_string(token) +
                  (text.empty() ? " has no text" : " has the text of token " + std::to_string(first));
    };
    for (const Token token : model.stop) doubt("stop token", token);
    if (!model.is_stop(model.pad)) doubt("padding token", model.pad);
    if (doubts.empty()) return doubts;
    return doubts + ": never found in a prompt; where prompts should hold it, give it its own text in tokens";
}

void Tokenizer::Table::add(const std::string& text, Token token) {
    if (text.empty()) return;
    numbers.emplace(text, token);
    first_bytes.set(static_cast<unsigned char>(text.front()));
    longest = std::max(longest, text.size());
}

std::optional<std::pair<Token, std::size_t>> Tokenizer::Table::find(std::string_view text) const {
    if (text.empty() || !first_bytes.test(static_cast<unsigned char>(text.front()))) return {};
    for (std::size_t length = std::min(longest, text.size()); length > 0; --length) {
        const auto found = numbers.find(std::string(text.substr(0, length)));
        if (found != numbers.end()) return std::pair{found->second, length};
    }
    return {};
}

Tokenizer::Tokenizer(const TextModel& model) : texts_(model.tokens), unknown_(model.unknown) {
    const std::vector<Token> special = model.all_special();
    for (const Token token : special) special_.add(texts_[static_cast<std::size_t>(token)], token);
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        const auto token = static_cast<Token>(i);
        if (!std::binary_search(special.begin(), special.end(), token)) ordinary_.add(texts_[i], token);
    }
}

Result<std::vector<Token>> Tokenizer::encode(std::string_view text) const {
    std::vector<Token> tokens;
    std::size_t begun = 0;  // of what stands in front of the next special token
    for (std::size_t at = 0; at <= text.size();) {
        const auto special = special_.find(text.substr(at));
        if (!special && at < text.size()) {
            ++at;
            continue;
        }
        if (auto read = encode_ordinary(text.substr(begun, at - begun), tokens); !read)
            return tl::unexpected(read.error());
        if (!special) break;
        tokens.push_back(special->first);
        at += special->second;
        begun = at;
    }
    return tokens;
}

Result<void> Tokenizer::encode_ordinary(std::string_view text, std::vector<Token>& tokens) const {
    while (!text.empty()) {
        std::size_t length = 1;
        if (const auto found = ordinary_.find(text)) {
            tokens.push_back(found->first);
            length = found->second;
        } else {
            // A whole character is unknown, not each of its bytes.
            while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) ++length;
            if (!unknown_)
                return bad(
                    "its prompt has " +
                    Json(std::string(text.substr(0, length))).dump(-1, ' ', false, Json::error_handler_t::replace) +
                    ", which no token of the model has");
            tokens.push_back(*unknown_);
        }
        text.remove_prefix(length);
    }
    return {};
}

std::string Tokenizer::decode(const std::vector<Token>& tokens) const {
    std::string text;
    for (const Token token : tokens) text += texts_.at(static_cast<std::size_t>(token));
    return text;
}

}  // namespace evaljob
