// What one server calls the limit of an answer, and whether it takes a seed: set by the EvalJob, or learned from what
// the server refuses. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/evaljob.hpp"

namespace evaljob::openai {

struct Fit {
    bool completion_tokens = false;  // max_completion_tokens, for max_tokens
    bool seed = true;

    bool operator==(const Fit&) const = default;
};

/// What the EvalJob has settled, and what is to be learned.
struct FitRules {
    Fit first;
    bool learns_limit = true;
    bool learns_seed = true;
};
FitRules fit_rules(const Model& model);

/// How to ask again after this refusal of a request that was sent with `sent`; nothing when it is for another reason,
/// or the EvalJob has settled it.
std::optional<Fit> refit(const Fit& sent, const FitRules& rules, int status, std::string_view body);

/// What both have learned.
inline Fit joined(const Fit& a, const Fit& b) { return {a.completion_tokens || b.completion_tokens, a.seed && b.seed}; }

/// The end of a request's body, which stands behind its other members: the members that a fit decides, and "}".
std::string fitted_end(const Fit& fit, std::optional<std::int32_t> max_new_tokens, std::uint32_t seed);

}  // namespace evaljob::openai
