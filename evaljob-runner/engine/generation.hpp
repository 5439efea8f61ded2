// Generation: texts that grow token by token, each in a row of the network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evaljob-runner/engine/choose_token.hpp"
#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/text_module.hpp"

namespace evaljob {

struct TextLimits {
    std::int64_t new_tokens = 0;
    Sampling sampling;
    std::vector<std::string> stop;
};

class Generation {
public:
    /// At most `rows` texts at a time. More prompts than that need a network that refills.
    Generation(TextModule& module, TextLimits limits, std::size_t rows)
        : module_(module), limits_(std::move(limits)), rows_(rows) {}

    /// One for each prompt. Exceptions are the network's; fails with BadInput when it does not give what it should.
    Result<std::vector<Prediction>> predictions(const std::vector<const Prompt*>& prompts,
                                                const std::vector<std::uint32_t>& seeds);
    /// That these have, those that ended a text included.
    std::uint64_t tokens() const;

private:
    struct Text {
        std::uint32_t seed = 0;
        std::uint32_t place = 0;  // of the token that comes next
        Token last = 0;
        std::string text;
        double log_probability = 0;  // of all tokens, the one that ended it included
        bool ended = false;
        bool failed = false;
    };

    /// The next token of these samples' texts, where they have not ended; a row of scores for each.
    void choose(const at::Tensor& scores, const std::vector<std::size_t>& samples);
    void take(const std::optional<Choice>& choice, Text& text) const;
    std::vector<Token> last_tokens(const std::vector<std::size_t>& samples) const;
    static Prediction prediction_of(const Text& text);

    TextModule& module_;
    TextLimits limits_;
    std::size_t rows_;
    std::vector<Text> texts_;
};

}  // namespace evaljob
