// Evaluates batches of a manifest: has their samples read, runs the engine, makes records.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/record.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/rank/batch_reader.hpp"
#include "evaljob-runner/rank/preparer.hpp"

namespace evaljob {

class Evaluator {
public:
    Evaluator(std::unique_ptr<BatchSource> batches, std::unique_ptr<Engine> engine);
    Evaluator(Evaluator&&) = default;
    Evaluator& operator=(Evaluator&&) = delete;

    /// May change from one moment to the next.
    std::size_t batches_at_once() const { return engine_->batches_at_once(); }
    EngineUsage usage() const { return engine_->usage(); }

    /// The lease's batch will be begun: it is prepared beside what the engine does. Any thread; does not wait.
    void announce(const Lease& lease) { preparer_->announce(lease); }

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

private:
    std::unique_ptr<BatchSource> batches_;
    struct Begun {
        Lease lease;
        std::vector<std::string> lacks;  // by request: what it lacks, for which it fails; empty: nothing
    };
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Preparer> preparer_;    // uses both
    std::map<std::uint64_t, Begun> begun_;  // by ticket
    std::uint64_t next_ticket_ = 0;
};

}  // namespace evaljob
