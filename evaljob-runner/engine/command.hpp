// Engine Command: a program of the user's own that reads samples and writes predictions. docs/runner.md describes what
// they say to each other, and what follows when the program dies, hangs, or answers badly.
#pragma once

#include <memory>
#include <string>

#include "api/contract.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

/// What the program of a rank sees: the rank's environment without the run's token, and of the GPUs the rank's alone.
/// Pure.
Environment program_environment(const Environment& rank, const DeviceChoice& device);

/// Starts the program and waits until it is ready. Fails with BadInput when it cannot be run, with ProgramFailed when
/// it ends or is not ready in time.
Result<std::unique_ptr<Engine>> start_command(const Eval& eval, const std::string& storage_root,
                                              const Environment& environment, const DeviceChoice& device);

}  // namespace evaljob
