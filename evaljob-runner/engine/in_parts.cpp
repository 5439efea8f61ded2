#include "evaljob-runner/engine/in_parts.hpp"

#include <cstddef>
#include <optional>

#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/halving.hpp"

namespace evaljob {

namespace {

// So many samples failed alone, and never an answer: it is not the samples.
constexpr int hopeless_after = 4;

}  // namespace

Result<EngineAnswer> InParts::evaluate(const EngineBatch& batch, const std::function<Computed(const Part&)>& compute) {
    EngineAnswer answer;
    answer.ticket = batch.ticket;
    answer.predictions.resize(batch.requests.size());
    Halving halving(batch.requests.size(), {});
    std::optional<Setback> first;
    while (!halving.done()) {
        const std::vector<std::size_t> members = halving.group();
        Part part;
        for (const std::size_t member : members) part.push_back(&batch.requests[member]);
        Computed computed = compute(part);
        if (auto* error = std::get_if<Error>(&computed)) return tl::unexpected(std::move(*error));
        if (auto* predictions = std::get_if<std::vector<Prediction>>(&computed)) {
            for (std::size_t i = 0; i < members.size(); ++i)
                answer.predictions[members[i]] = std::move(predictions->at(i));
            answered_ = true;
            halving.succeeded();
            continue;
        }
        const auto& setback = std::get<Setback>(computed);
        if (!first) first = setback;
        const auto lost = halving.failed(members);
        if (!lost) continue;
        // How much memory there was is no part of a record: it differs from time to time.
        answer.predictions[*lost] =
            failed_prediction(setback.out_of_memory ? "there is not enough memory for it, even alone" : setback.why);
        if (!answered_ && ++failed_before_any_answer_ >= hopeless_after) return tl::unexpected(first->of_all);
    }
    answer.parts = halving.parts();
    if (first && answer.parts > 1) answer.why_parts = first->out_of_memory ? "memory ran out" : first->why;
    return answer;
}

}  // namespace evaljob
