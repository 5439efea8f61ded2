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

/// Where an evaluator has its batches from.
class BatchSource {
public:
    virtual ~BatchSource() = default;
    /// Any thread.
    virtual const Manifest& manifest() const = 0;
    /// Thread rule: one thread.
    virtual Result<EngineBatch> read(std::uint64_t batch) = 0;
};

class BatchReader : public BatchSource {
public:
    /// Opens the datasets. Fails with BadInput.
    static Result<std::unique_ptr<BatchReader>> open(const Eval& eval, const std::string& storage_root,
                                                     Manifest manifest);

    const Manifest& manifest() const override { return manifest_; }
    /// Fails with BadInput when a sample is not the manifest's, or with ReadFailed.
    Result<EngineBatch> read(std::uint64_t batch) override;

private:
    BatchReader(Eval eval, Manifest manifest);
    Result<Request> request_for(std::uint64_t item);

    const Eval eval_;
    const Manifest manifest_;
    std::vector<std::unique_ptr<DatasetReader>> datasets_;
    std::vector<std::uint64_t> first_sample_;  // of each dataset, in the manifest's order
};

}  // namespace evaljob
