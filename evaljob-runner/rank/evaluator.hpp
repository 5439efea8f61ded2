// Evaluates batches of a manifest: reads the samples, checks that they are the manifest's, runs the engine, makes
// records.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/evaljob.hpp"
#include "api/manifest.hpp"
#include "api/record.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

class Evaluator {
public:
    /// Opens the datasets. Fails with BadInput.
    static Result<Evaluator> open(const Eval& eval, const std::string& storage_root, Manifest manifest,
                                  std::unique_ptr<Engine> engine);

    std::size_t batches_at_once() const { return engine_->batches_at_once(); }
    EngineUsage usage() const { return engine_->usage(); }

    /// Hands the lease's batch to the engine.
    Result<void> begin(const Lease& lease);

    struct Evaluated {
        Lease lease;
        std::vector<Record> records;  // one per item of the batch, in the manifest's order
        std::uint32_t parts = 1;      // as EngineAnswer has them
        std::string why_parts;
    };
    /// Waits for one that was begun.
    Result<Evaluated> next();

    const Manifest& manifest() const { return manifest_; }

private:
    Evaluator(Eval eval, Manifest manifest, std::unique_ptr<Engine> engine);
    Result<Request> request_for(std::uint64_t item);

    Eval eval_;
    Manifest manifest_;
    std::unique_ptr<Engine> engine_;
    std::vector<std::unique_ptr<DatasetReader>> datasets_;
    std::vector<std::uint64_t> first_sample_;  // of each dataset, in the manifest's order
    std::map<std::uint64_t, Lease> begun_;     // by ticket
    std::uint64_t next_ticket_ = 0;
};

}  // namespace evaljob
