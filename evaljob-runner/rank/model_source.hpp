// How a rank comes by the model's bytes: from its node's memory, from the group of nodes, or from the file.
#pragma once

#include <string>

#include "api/contract.hpp"
#include "api/evaljob.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/model_file.hpp"
#include "evaljob-runner/rank/session.hpp"

namespace evaljob {

/// What all members of a group must agree on.
struct ModelOfRun {
    ModelFile file;
    std::string identity;  // of the evaluation
};

/// Fails with BadInput, naming the file; or when this runner has not got the backend that is asked for.
Result<SharedBytes> bring_model(const ModelOfRun& model, Backend asked, const DeviceChoice& device,
                                const RankContract& contract, const Environment& environment, Session& session);

}  // namespace evaljob
