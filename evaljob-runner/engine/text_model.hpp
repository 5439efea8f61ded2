// What a model that generates texts says of itself in its extra file evaljob.json: its tokens, and what it is asked.
// docs/runner.md describes it. Pure; a model's file is another's.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/result.hpp"

namespace evaljob {

/// The model's extra file that says what a generating one is.
inline constexpr const char* text_model_file = "evaljob.json";

using Token = std::int64_t;

struct TextModel {
    std::vector<std::string> tokens;  // bytes of each, by its number
    Token pad = 0;
    std::vector<Token> stop;  // any of them ends a text
    std::optional<Token> unknown;
    std::vector<Token> special;  // others that are found in a prompt before it is split: marks of a chat's turns
    std::string prompt = "{question}";
    std::string option = "{option}";  // MultipleChoice: what follows the prompt
    std::int64_t max_prompt_tokens = 0;
    std::int64_t max_new_tokens = 0;
    int channels = 0;  // of an image: 1 or 3; 0: it takes none
    int height = 0;    // with width: of every image; 0: the model has a method `prepare`
    int width = 0;

    bool is_stop(Token token) const;
    /// Padding, what ends a text, what is unknown, and whatever else the file calls special, by number.
    std::vector<Token> all_special() const;
};

/// Fails with BadInput; the message is for a reader who knows the file.
Result<TextModel> read_text_model(std::string_view json);

/// The prompt with the input's members in place of their names in braces; `input` is a JSON object's text. Fails with
/// BadInput when it has no such member.
Result<std::string> prompt_of(const std::string& pattern, std::string_view input);

struct LetteredOption {
    char letter = 'A';
    std::string text;
};

/// What an input's members A to Z hold, in the letters' order, wherever there are gaps. One that is null or empty is no
/// option, as pandas writes an empty cell.
std::vector<LetteredOption> options_of(std::string_view input);

/// Which of its stop tokens and padding no prompt can hold, and what to do about it; empty: none. A chat's prompts have
/// them, and such a model answers something else without.
std::string doubts_of(const TextModel& model);

/// Texts as tokens. Special ones are found first, the longest one at a place, as Hugging Face's added tokens; between
/// them, at every place the longest one that fits. Texts of tokens are joined as they are.
class Tokenizer {
public:
    explicit Tokenizer(const TextModel& model);

    /// Fails with BadInput when no token fits and the model has none for what is unknown.
    Result<std::vector<Token>> encode(std::string_view text) const;
    std::string decode(const std::vector<Token>& tokens) const;

private:
    /// Tokens by their texts.
    struct Table {
        std::unordered_map<std::string, Token> numbers;
        std::bitset<256> first_bytes;
        std::size_t longest = 0;

        void add(const std::string& text, Token token);
        /// The longest one that the text begins with, and its length; nothing when there is none.
        std::optional<std::pair<Token, std::size_t>> find(std::string_view text) const;
    };

    Result<void> encode_ordinary(std::string_view text, std::vector<Token>& tokens) const;

    std::vector<std::string> texts_;
    Table special_;
    Table ordinary_;
    std::optional<Token> unknown_;
};

}  // namespace evaljob
