// What a generating model says of itself, and texts as its tokens.
#include "evaljob-runner/engine/text_model.hpp"
#include "api/json_members.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    const auto prompt = prompt_of("{question} {A}.", text);
    if (prompt) fuzz::require(prompt->size() >= 2 && prompt->ends_with('.'), "a prompt has what stands in it");
    const auto model = read_text_model(text);
    if (!model) {
        fuzz::require(model.error().reason == "BadInput" && !model.error().message.empty(), "a refusal says why");
        return 0;
    }
    const auto known = [&](Token token) {
        return token >= 0 && static_cast<std::size_t>(token) < model->tokens.size();
    };
    for (const Token token : model->all_special()) fuzz::require(known(token), "special tokens are there");
    fuzz::require(model->max_prompt_tokens > 0 && model->max_new_tokens > 0, "a text has tokens");
    const Tokenizer tokenizer(*model);
    const auto tokens = tokenizer.encode(text);
    if (!tokens) {
        fuzz::require(!model->unknown, "what is unknown is refused only without a token for it");
        return 0;
    }
    bool all_known = true;
    for (const Token token : *tokens) {
        fuzz::require(known(token), "a text has tokens of the model");
        all_known = all_known && token != model->unknown;
    }
    fuzz::require(!all_known || tokenizer.decode(*tokens) == text, "tokens are the text again");
    // Whatever stands around it, a special token is found.
    for (const Token token : model->all_special()) {
        const std::string& mark = model->tokens[static_cast<std::size_t>(token)];
        const auto found = tokenizer.encode(mark);
        const auto same = [&](Token t) { return model->tokens[static_cast<std::size_t>(t)] == mark; };
        fuzz::require(mark.empty() || (found && found->size() == 1 && same(found->front())), "a mark is one token");
    }
    return 0;
}
