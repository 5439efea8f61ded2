// A classifier's forward that is recorded and replayed where that is faster: inference.cudaGraphs.
// docs/decisions/0027-graphs-where-they-pay.md says why it is so.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>

#include "evaljob-runner/engine/torch_classifier.hpp"

namespace evaljob {

/// What a forward made the device do for an input of one size.
class Recording {
public:
    virtual ~Recording() = default;
    /// The scores of another input of that size; the next replay of any recording may overwrite them.
    virtual at::Tensor replay(const at::Tensor& input) = 0;
};

/// Exceptions are libtorch's.
class GraphRecorder {
public:
    virtual ~GraphRecorder() = default;
    virtual std::unique_ptr<Recording> record(const Forward& forward, const at::Tensor& input) = 0;
    /// How long the device takes for what `compute` makes it do.
    virtual double milliseconds(const std::function<void()>& compute) = 0;
};

/// For the first sizes of batches, so many; others are computed as they are.
constexpr std::size_t most_graphs = 8;

/// What cannot be recorded, or gives other bytes when it is replayed, is computed as it is. No batch fails for that.
Forward graphed_forward(Forward forward, std::unique_ptr<GraphRecorder> recorder);

/// Nothing where this program was built without CUDA's headers.
std::unique_ptr<GraphRecorder> cuda_graph_recorder(c10::Device device);

/// The forward, with graphs where they are asked for and the device is a GPU.
Forward with_graphs(Forward forward, c10::Device device, CudaGraphs graphs);

}  // namespace evaljob
