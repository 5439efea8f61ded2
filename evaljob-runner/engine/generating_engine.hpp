// Models that generate texts, token by token with a cache. docs/runner.md has the contract,
// docs/decisions/0019-generating-models.md why it is this one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/text_model.hpp"
#include "evaljob-runner/engine/text_network.hpp"

namespace evaljob {

/// What the extra file says. Fails with BadInput; the message goes on from "FILE: ".
Result<TextModel> described_model(std::string_view description);

struct GenerationOptions {
    std::optional<std::int32_t> refill_rows{};  // inference.refillRows
    std::string doubt{};                        // what else may be wrong when it fails, a sentence behind a space
};

/// `device` is where the network lies. Fails with BadInput when network, description and options do not fit; the
/// message goes on from "FILE: ".
Result<std::unique_ptr<Engine>> generating_engine(std::unique_ptr<TextNetwork> network, TextModel model,
                                                  const std::string& device, GenerationOptions options = {});

}  // namespace evaljob
