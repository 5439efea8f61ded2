// What the engines of libtorch that classify share: a batch becomes one tensor, a model's scores become classes.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <string>

#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/device_inputs.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

/// A model: float32 [N, …] on its device, bytes scaled to 0..1 → scores [N, classes]. What it throws says that it does
/// not take these samples; an Error says something else.
using Forward = std::function<Result<at::Tensor>(const at::Tensor& input)>;

/// `inputs`: device_inputs() of the device. `doubt`: what else may be wrong when the model fails, a sentence behind a
/// space.
std::unique_ptr<Engine> torch_classifier(Forward forward, c10::Device device, std::unique_ptr<DeviceInputs> inputs,
                                         std::string doubt = "");

/// Before the first tensor of this process.
void set_torch_threads(int threads);

c10::Device torch_device(const DeviceChoice& device);

std::string torch_version();

}  // namespace evaljob
