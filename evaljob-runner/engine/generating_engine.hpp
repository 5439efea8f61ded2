// Models that generate texts, token by token with a cache. docs/runner.md has the contract,
// docs/decisions/0019-generating-models.md why it is this one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/text_model.hpp"
#include "evaljob-runner/engine/text_network.hpp"

namespace evaljob {

/// What the extra file says. Fails with BadInput; the message goes on from "FILE: ".
Result<TextModel> described_model(std::string_view description);

/// `device` is where the network lies; `doubt` what else may be wrong when it fails, a sentence behind a space. Fails
/// with BadInput when network and description do not fit; the message goes on from "FILE: ".
Result<std::unique_ptr<Engine>> generating_engine(std::unique_ptr<TextNetwork> network, TextModel model,
                                                  const std::string& device, std::string doubt = "");

}  // namespace evaljob
