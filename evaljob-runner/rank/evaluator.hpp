// Evaluates batches of a manifest: reads the samples, checks that they are the manifest's, runs the engine, makes
// records.
#pragma once

#include <memory>
#include <vector>

#include "api/evaljob.hpp"
#include "api/manifest.hpp"
#include "api/record.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

class Evaluator {
public:
    /// Opens the datasets. Fails with BadInput.
    static Result<Evaluator> open(const Eval& eval, const std::string& storage_root, Manifest manifest,
                                  std::unique_ptr<Engine> engine);

    /// One record per item of the batch, in the manifest's order.
    Result<std::vector<Record>> evaluate(std::uint64_t batch, LeaseNumber lease);

    const Manifest& manifest() const { return manifest_; }

private:
    Evaluator(Eval eval, Manifest manifest, std::unique_ptr<Engine> engine);

    Eval eval_;
    Manifest manifest_;
    std::unique_ptr<Engine> engine_;
    std::vector<std::unique_ptr<DatasetReader>> datasets_;
    std::vector<std::uint64_t> first_sample_;  // of each dataset, in the manifest's order
};

}  // namespace evaljob
