// Records what a forward makes a GPU do as a CUDA graph.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <exception>
#include <stdexcept>

#include "evaljob-runner/engine/graphed_forward.hpp"

namespace evaljob {

namespace {

template <class Call>
bool succeeds(Call call) {
    try {
        call();
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

/// Its input and scores stay where they were when it was recorded.
class CudaGraph : public Recording {
public:
    CudaGraph(c10::DeviceIndex device, c10::MempoolId_t pool, at::Tensor input)
        : device_(device), pool_(pool), input_(std::move(input)) {}

    /// The current stream is one that nothing else uses. Other threads go on with the GPU on theirs.
    void record(const Forward& forward) {
        try {
            graph_.capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
            auto scores = forward(input_);
            graph_.capture_end();
            if (!scores) throw std::runtime_error(scores.error().message);
            scores_ = std::move(*scores);
        } catch (...) {
            abandon();
            throw;
        }
    }

    at::Tensor replay(const at::Tensor& input) override {
        input_.copy_(input, /*non_blocking=*/true);
        graph_.replay();
        return scores_;
    }

private:
    /// Where CUDA refuses, capture_end() stops half-way: libtorch's allocators would wait for its end before they use
    /// any memory of two streams again.
    void abandon() {
        if (succeeds([&] { graph_.pool(); }) || succeeds([&] { graph_.capture_end(); })) return;  // it has ended whole
        at::HostAllocator& pinned = *at::getHostAllocator(at::kCUDA);
        if (succeeds([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(device_, pool_); }))
            succeeds([&] { c10::cuda::CUDACachingAllocator::releasePool(device_, pool_); });
        if (succeeds([&] { pinned.end_allocate_to_pool(pool_); })) succeeds([&] { pinned.release_pool(pool_); });
    }

    c10::DeviceIndex device_;
    c10::MempoolId_t pool_;
    at::Tensor input_;
    at::Tensor scores_;
    at::cuda::CUDAGraph graph_;
};

class CudaGraphRecorder : public GraphRecorder {
public:
    explicit CudaGraphRecorder(c10::Device device)
        : device_(device.index()),
          // Streams are dealt from two pools; inputs are copied on one of the other.
          recording_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device_)),
          pool_(at::cuda::graph_pool_handle()) {}

    std::unique_ptr<Recording> record(const Forward& forward, const at::Tensor& input) override {
        c10::cuda::getCurrentCUDAStream(device_).synchronize();
        const c10::cuda::CUDAStreamGuard on_recording_stream(recording_);
        const at::Tensor own = input.clone();
        // Libraries set themselves up for a stream when they are first called on it: that is not to be recorded.
        if (auto scores = forward(own); !scores) throw std::runtime_error(scores.error().message);
        recording_.synchronize();
        auto graph = std::make_unique<CudaGraph>(device_, pool_, own);
        graph->record(forward);
        return graph;
    }

    double milliseconds(const std::function<void()>& compute) override {
        c10::cuda::CUDAEvent begin(cudaEventDefault);
        c10::cuda::CUDAEvent end(cudaEventDefault);
        begin.record(c10::cuda::getCurrentCUDAStream(device_));
        compute();
        end.record(c10::cuda::getCurrentCUDAStream(device_));
        end.synchronize();
        return begin.elapsed_time(end);
    }

private:
    c10::DeviceIndex device_;
    c10::cuda::CUDAStream recording_;
    c10::MempoolId_t pool_;  // of all graphs: none is replayed while another's scores are still needed
};

}  // namespace

std::unique_ptr<GraphRecorder> cuda_graph_recorder(c10::Device device) {
    return std::make_unique<CudaGraphRecorder>(device);
}

}  // namespace evaljob
