// The network of a model that generates texts as an AOTInductor package: its programs prefill and step.
#pragma once

#include <memory>

#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/package_archive.hpp"
#include "evaljob-runner/engine/text_model.hpp"
#include "evaljob-runner/engine/text_network.hpp"

namespace evaljob {

/// Batches have up to `largest_batch` texts: a package that does not take them says so with the first batch. Fails with
/// BadInput, whose message goes on from "FILE ".
Result<std::unique_ptr<TextNetwork>> package_network(const PackageFiles& package, const TextModel& model,
                                                     const DeviceChoice& device, int largest_batch);

}  // namespace evaljob
