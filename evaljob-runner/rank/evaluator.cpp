#include "evaljob-runner/rank/evaluator.hpp"

#include <utility>

#include "api/assert.hpp"

namespace evaljob {

Evaluator::Evaluator(std::unique_ptr<BatchSource> batches, std::unique_ptr<Engine> engine)
    : batches_(std::move(batches)), engine_(std::move(engine)) {
    const auto prepare = [batches = batches_.get(), by = engine_.get()](std::uint64_t number) {
        auto batch = batches->read(number);
        if (batch) by->prepare(*batch);
        return batch;
    };
    preparer_ = std::make_unique<Preparer>(prepare);
}

Result<void> Evaluator::begin(const Lease& lease) {
    auto batch = preparer_->take(lease);
    if (!batch) return tl::unexpected(batch.error());
    batch->ticket = next_ticket_++;
    begun_[batch->ticket] = lease;
    engine_->begin(std::move(*batch));
    return {};
}

Result<Evaluator::Evaluated> Evaluator::next() {
    auto answer = engine_->next();
    if (!answer) return tl::unexpected(answer.error());
    EVALJOB_ASSERT(begun_.contains(answer->ticket), "an engine answers what was begun, and once");
    Evaluated evaluated{begun_.at(answer->ticket), {}, answer->parts, std::move(answer->why_parts)};
    begun_.erase(answer->ticket);
    const Manifest& manifest = batches_->manifest();
    const auto& items = manifest.batches.at(evaluated.lease.batch).items;
    EVALJOB_ASSERT(answer->predictions.size() == items.size(), "an engine answers every sample of a batch");
    for (std::size_t i = 0; i < items.size(); ++i) {
        const ManifestSample& sample = manifest.samples[items[i] / manifest.repeats];
        Prediction& prediction = answer->predictions.at(i);
        evaluated.records.push_back({sample.dataset, sample.id, static_cast<std::uint32_t>(items[i] % manifest.repeats),
                                     evaluated.lease.number, prediction.prediction, prediction.detail,
                                     std::move(prediction.error)});
    }
    return evaluated;
}

}  // namespace evaljob
