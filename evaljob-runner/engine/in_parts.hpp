// For engines that compute a batch at once: what runs out of memory, or fails, is computed in halves, so that a sample
// costs no other one. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

/// Samples of a batch that are computed at once, in the batch's order.
using Part = std::vector<const Request*>;

/// Why no sample of a part has a prediction; fewer at once may have one.
struct Setback {
    bool out_of_memory = false;
    std::string why;  // of a sample that is alone
    Error of_all;     // what it means when no sample can be computed
};

/// A prediction for each sample, in their order; or a Setback; or an Error that concerns the engine as a whole.
using Computed = std::variant<std::vector<Prediction>, Setback, Error>;

inline Computed as_computed(Result<std::vector<Prediction>> result) {
    if (!result) return std::move(result.error());
    return std::move(*result);
}

class InParts {
public:
    /// Errors are those of `compute`; and the first Setback's, when engine and samples do not belong together: it
    /// computes nothing of the first that it gets.
    Result<EngineAnswer> evaluate(const EngineBatch& batch, const std::function<Computed(const Part&)>& compute);

private:
    bool answered_ = false;
    int failed_before_any_answer_ = 0;
};

}  // namespace evaljob
