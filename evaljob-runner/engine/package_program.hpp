// One program of an AOTInductor package, loaded: native code that takes tensors and gives tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/package_archive.hpp"

namespace torch::inductor {
class AOTIModelContainerRunner;
}

namespace evaljob {

class PackageProgram {
public:
    /// Fails with BadInput, whose message goes on from "FILE ", when it was made for another machine or does not load.
    static Result<PackageProgram> load(const PackageFiles& package, const std::string& program,
                                       const DeviceChoice& device);

    /// Throws std::exception with the package's own words.
    std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs);

private:
    std::shared_ptr<const TemporaryFolder> kernels_;  // of a GPU; they are read when they are first called
    std::shared_ptr<torch::inductor::AOTIModelContainerRunner> runner_;
};

/// When run() threw `words` because an input's size along `dimension` (a regular expression) is not one that the
/// program was exported for: what it expected.
std::optional<std::string> refused_size(const std::string& words, const std::string& dimension);

}  // namespace evaljob
