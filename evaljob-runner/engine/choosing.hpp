// MultipleChoice: which of a sample's options is likeliest behind its prompt. Each option is a row of the network.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/text_module.hpp"

namespace evaljob {

class Choosing {
public:
    explicit Choosing(TextModule& module) : module_(module) {}

    /// The options of the input, of the prompt in this row; why they cannot be taken, or nothing.
    std::string add(std::size_t row, std::string_view input);

    /// One for each prompt. Exceptions are the network's; fails with BadInput when it does not give what it should.
    Result<std::vector<Prediction>> predictions(const std::vector<const Prompt*>& prompts);

private:
    struct Option {
        std::size_t row = 0;  // of the prompts
        char letter = 'A';
        std::vector<Token> tokens;
        std::size_t bytes = 0;
        double log_probability = 0;
    };

    /// Padding where an option has no more.
    std::vector<Token> tokens_at(std::size_t place) const;
    void add_up(const at::Tensor& logs, const std::vector<Token>& tokens, std::size_t place);
    static Prediction prediction_of(const std::vector<Option>& options);

    TextModule& module_;
    std::vector<Option> options_;
};

}  // namespace evaljob
