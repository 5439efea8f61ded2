#include "api/run_spec.hpp"

#include "api/canonical_json.hpp"
#include "api/json.hpp"

namespace evaljob::run_spec {

std::string text(const EvalJobSpec& spec) {
    if (spec.eval) return CanonicalJson(eval_to_json(*spec.eval)).text();
    return CanonicalJson(spec.merge.expect ? expect_to_json(*spec.merge.expect) : Json()).text();
}

std::string too_long(const EvalJobSpec& spec) {
    const std::size_t bytes = text(spec).size();
    if (bytes <= max_bytes) return {};
    return std::string(spec.eval ? "spec.eval" : "spec.merge.expect") + ": must have at most " +
           std::to_string(max_bytes) + " bytes as JSON, with what is by default, and has " + std::to_string(bytes) +
           ": put long texts (examples in prompts) into the dataset";
}

}  // namespace evaljob::run_spec
