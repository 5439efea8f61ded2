// An engine turns samples into predictions. Scheduling, resume, merge and metrics are the same for all of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/evaljob.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/dataset/dataset.hpp"

namespace evaljob {

struct Prediction {
    Json prediction;               // Classification: the class; null when it failed
    Json detail = Json::object();  // Classification: {"confidence": "0.987654"}
    std::string error;             // of this sample alone
};

class Engine {
public:
    virtual ~Engine() = default;
    /// One prediction per sample, in order; all samples are of one shape. An Error concerns the whole batch and is
    /// nothing that another try mends.
    virtual Result<std::vector<Prediction>> evaluate(const std::vector<Sample>& samples, const Task& task) = 0;
    virtual std::string library() const = 0;  // "libtorch 2.11.0"
    virtual std::string device() const = 0;   // "cpu", "cuda:1"
};

/// TorchScript: forward(float32 [N, …], bytes scaled to 0..1) → scores [N, classes]. Fails with BadInput, naming the
/// file, when it cannot be loaded, is not the one of `sha256`, or its device is not there.
Result<std::unique_ptr<Engine>> load_torchscript(const std::string& path, const std::string& sha256,
                                                 const DeviceChoice& device, int threads);

}  // namespace evaljob
