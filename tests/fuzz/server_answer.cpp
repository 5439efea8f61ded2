// What a server answers: completions, lists of models, refusals, headers; and what samples and prompts are sent to it.
#include <string>
#include <variant>

#include "api/json_text.hpp"
#include "api/utf8.hpp"
#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/openai/chat_answer.hpp"
#include "evaljob-runner/engine/openai/chat_request.hpp"
#include "evaljob-runner/engine/openai/verdict.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;
using namespace evaljob::openai;

namespace {

void check_prediction(const Prediction& prediction) {
    fuzz::require(prediction.prediction.is_null() == !prediction.error.empty(), "there is a prediction or an error");
    fuzz::require(prediction.detail.is_object() && !prediction.detail.dump().empty(), "the detail can be written");
    std::string bytes;
    if (!prediction.error.empty()) return;
    fuzz::require(text_from_json(Json::parse(prediction.prediction.dump()), bytes), "a prediction can be written");
    fuzz::require(text_to_json(bytes) == prediction.prediction, "and comes back");
}

void check_answer(std::string_view body) {
    const auto answer = read_chat_answer(body);
    fuzz::require(is_utf8(refusal_text(body)) && refusal_text(body).size() <= 1500, "a refusal is a short text");
    fuzz::require(refusal_text(body).find('\n') == std::string::npos, "of one line");
    if (const auto models = read_models(body, "tiny"))
        for (const std::string& name : models->names) fuzz::require(is_utf8(name), "a model's name is text");
    if (!answer) {
        fuzz::require(answer.error().reason == "Garbled" && is_utf8(answer.error().message), "it is said what it is");
        return;
    }
    check_prediction(answer->prediction);
    const Json parsed = parse_json(body);
    if (!parsed.is_object()) return;  // bytes that the parser refuses
    const Json content = parsed.value(Json::json_pointer("/choices/0/message/content"), Json());
    if (content.is_string() && content.get<std::string>().size() <= max_prediction_bytes)
        fuzz::require(answer->prediction.prediction == content ||
                          (content == "" && parsed.contains(Json::json_pointer("/choices/0/message/refusal"))),
                      "the prediction is what the parser makes of it");
}

void check_verdict(std::string_view text) {
    Exchange exchange;
    exchange.kind = Exchange::Kind::Answered;
    exchange.status = text.empty() ? 200 : 100 + static_cast<unsigned char>(text[0]) * 2;
    exchange.body = text;
    exchange.retry_after = text;
    Tries tries;
    for (int i = 0; i <= most_refused; ++i) {
        const Verdict verdict = judge(exchange, tries, false, {}, 0.9, 1'700'000'000);
        const auto* again = std::get_if<TryAgain>(&verdict);
        if (again == nullptr) return;
        fuzz::require(again->after.count() >= 0 && again->after <= longest_wish + std::chrono::seconds(1),
                      "a pause is bounded");
    }
    fuzz::require(false, "tries come to an end");
}

void check_request(std::string_view text) {
    Model model;
    model.name = "m";
    Request request;
    request.sample.input = text;
    const auto no_file = [](const std::string&) -> Result<std::string> { return fail("BadInput", "no files here"); };
    const auto check = [&](const std::optional<Prompt>& prompt) {
        const auto asked = chat_request(model, {}, prompt, request, no_file);
        if (!asked) return;
        const std::string body = asked->body + fitted_end({}, 1, asked->seed);
        fuzz::require(json_members(body, Strictness::Json).has_value(), "a request is JSON");
        fuzz::require(is_utf8(body), "in UTF-8");
    };
    check({});
    if (!is_utf8(text)) return;
    if (const auto prompt = Prompt::read(std::string(text))) {
        request.sample.input = R"({"question":"q","x":[1],"":0,"A":"a","C":2})";
        check(*prompt);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    check_answer(text);
    check_verdict(text);
    check_request(text);
    return 0;
}
