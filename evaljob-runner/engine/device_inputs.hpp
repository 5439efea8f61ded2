// What a classifier takes, and how it comes to a device while that computes the batch before.
// docs/decisions/0026-copied-while-it-computes.md says why it is so.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>

#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/in_parts.hpp"

namespace evaljob {

/// float32 [N, …], the samples' bytes as 0..1, in memory of the CPU.
at::Tensor input_of(const Part& part);

/// Exceptions are libtorch's.
class DeviceInputs {
public:
    virtual ~DeviceInputs() = default;
    /// Begins to bring them to the device, and does not wait for it. One thread calls this, another one arrived().
    virtual std::shared_ptr<Prepared> send(const Part& part) = 0;
    /// input_of() on the device: what the calling thread makes the device do from now on finds it there. Once for each
    /// that was sent, or never.
    virtual at::Tensor arrived(Prepared& sent) = 0;
};

/// Nothing for the CPU, where there is nothing to bring.
std::unique_ptr<DeviceInputs> device_inputs(c10::Device device);

}  // namespace evaljob
