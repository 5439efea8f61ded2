// Evaluations of the vision-language example, and what examples/vision-language/reference.py has found: PyTorch's
// answers, made in another way, one question at a time and without a cache.
#pragma once

#include <map>
#include <string>

#include "api/json.hpp"
#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e::vision_language {

inline const std::string example = EVALJOB_SOURCE_DIR "/examples/vision-language";

struct Variant {
    int nodes = 1;
    int procs = 1;
    int batch = 32;
    int limit = 1000;
    const char* temperature = nullptr;
    int tokens = 0;         // inference.maxBatchTokens; 0: none
    int refill = 0;         // inference.refillRows; 0: none
    bool choices = false;   // choices.tsv instead of questions.tsv
    std::string package{};  // AOTInductor's; empty: the TorchScript file
};

/// Of its thousand samples.
inline constexpr Kills kills{.first = 50, .every = 300, .most = 3};

Json job(const Variant& run);
Json& eval_of(Json& job);

using Published = std::map<std::string, std::string>;  // content by file
Published published(const Variant& run);

/// PyTorch's answers to the questions, and its scores.
void expect_reference_answers(const Published& files);
/// The same of choices.
void expect_reference_choices(const Published& files);

}  // namespace evaljob::e2e::vision_language
