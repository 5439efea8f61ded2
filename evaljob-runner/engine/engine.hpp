// An engine turns samples into predictions. Scheduling, resume, merge and metrics are the same for all of them.
// docs/decisions/0017-engines-take-batches.md says why it has this shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/evaljob.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/image/image.hpp"

namespace evaljob {

/// One evaluation of one sample.
struct Request {
    Sample sample;
    std::uint32_t repeat = 0;
    std::uint32_t seed = 0;                      // sample_seed()
    std::shared_ptr<const Result<Image>> image;  // of sample.image, where the engine has decoded it ahead
};

/// An engine's own: what it has done for a batch ahead.
struct Prepared {
    virtual ~Prepared() = default;
};

/// What the manifest planned to be evaluated together; all of one dataset.
struct EngineBatch {
    std::uint64_t ticket = 0;  // the caller's, to know it again
    const Dataset* dataset = nullptr;
    std::vector<Request> requests;
    std::shared_ptr<Prepared> prepared;  // by Engine::prepare(), or nothing
};

struct Prediction {
    Json prediction;               // Classification: the class; Generation: text_to_json(); null when it failed
    Json detail = Json::object();  // Classification: {"confidence": "0.987654"}
    std::string error;             // of this sample alone
};

struct EngineAnswer {
    std::uint64_t ticket = 0;
    std::vector<Prediction> predictions;  // one for each request, in their order
    std::uint32_t parts = 1;              // that it was evaluated in; more: what shared a batch is not what was planned
    std::string why_parts;                // for the log; empty: it stands there already
};

/// What an engine has used so far.
struct EngineUsage {
    std::uint64_t requests = 0;        // to a server
    std::uint64_t requests_again = 0;  // of these
    std::uint64_t prompt_tokens = 0;   // as the server counts them, or the model has them
    std::uint64_t completion_tokens = 0;
};

/// Thread rule: one thread calls it, but for prepare(); what an engine does beside that thread is its own affair.
class Engine {
public:
    virtual ~Engine() = default;
    /// What can be done for a batch before it is begun, while the engine computes another: on another thread, one batch
    /// after the other. What fails is to be told by next(). The batch may never be begun.
    virtual void prepare(EngineBatch& /*batch*/) {}
    /// How many batches it can have begun and not yet given back.
    virtual std::size_t batches_at_once() const { return 1; }
    virtual void begin(EngineBatch batch) = 0;
    /// Waits until a batch that was begun has an answer for every sample; whichever comes first. A sample that fails is
    /// an answer. An Error concerns the engine as a whole: no further batch can be had of it.
    virtual Result<EngineAnswer> next() = 0;
    virtual EngineUsage usage() const { return {}; }
    virtual std::string library() const = 0;  // "libtorch 2.11.0"
    virtual std::string device() const = 0;   // "cpu", "cuda:1"
};

}  // namespace evaljob
