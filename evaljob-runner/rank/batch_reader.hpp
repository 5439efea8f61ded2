// The batches of a manifest as an engine takes them: samples read from the datasets, and held against the manifest.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/evaljob.hpp"
#include "api/manifest.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

class BatchReader {
public:
    /// Opens the datasets. Fails with BadInput.
    static Result<std::unique_ptr<BatchReader>> open(const Eval& eval, const std::string& storage_root,
                                                     Manifest manifest);

    /// Fails with BadInput when a sample is not the manifest's, or with ReadFailed. Thread rule: one thread.
    Result<EngineBatch> read(std::uint64_t batch);

    /// Any thread.
    const Manifest& manifest() const { return manifest_; }

private:
    BatchReader(Eval eval, Manifest manifest);
    Result<Request> request_for(std::uint64_t item);

    const Eval eval_;
    const Manifest manifest_;
    std::vector<std::unique_ptr<DatasetReader>> datasets_;
    std::vector<std::uint64_t> first_sample_;  // of each dataset, in the manifest's order
};

}  // namespace evaljob
