// Engine OpenAI: a server that speaks the chat completions of OpenAI's API, in the Pod or elsewhere. docs/runner.md
// says what is sent, and what follows when the server refuses, stalls or dies.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "api/contract.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

struct OpenAiPace {
    std::chrono::milliseconds first_pause{500};  // before the second try; twice as long before each further one
};

/// Waits until the server is ready. `waits` is told what is waited for, then and later, and nothing when it is there;
/// on any thread, and it must not wait. Fails with BadInput when it is another server than the EvalJob says, with
/// NotReady when it is not ready in time.
Result<std::unique_ptr<Engine>> start_openai(
    const Eval& eval, const std::string& storage_root, const Environment& environment,
    std::function<void(std::string)> waits = [](const std::string&) {}, OpenAiPace pace = {});

}  // namespace evaljob
