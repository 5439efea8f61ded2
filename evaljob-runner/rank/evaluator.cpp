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
    Begun& begun = begun_[batch->ticket];
    begun.lease = lease;
    for (const Request& request : batch->requests) begun.lacks.push_back(request.sample.image_error);
    engine_->begin(std::move(*batch));
    return {};
}

Result<Evaluator::Evaluated> Evaluator::next() {
    auto answer = engine_->next();
    if (!answer) return tl::unexpected(answer.error());
    EVALJOB_ASSERT(begun_.contains(answer->ticket), "an engine answers what was begun, and once");
    const Begun begun = std::move(begun_.extract(answer->ticket).mapped());
    Evaluated evaluated{begun.lease, {}, answer->parts, std::move(answer->why_parts)};
    const Manifest& manifest = batches_->manifest();
    const auto& items = manifest.batches.at(evaluated.lease.batch).items;
    EVALJOB_ASSERT(answer->predictions.size() == items.size(), "an engine answers every sample of a batch");
    for (std::size_t i = 0; i < items.size(); ++i) {
        const ManifestSample& sample = manifest.samples[items[i] / manifest.repeats];
        Prediction& prediction = answer->predictions.at(i);
        // Whatever an engine has made of the sample, it had not all of it.
        if (!begun.lacks[i].empty()) prediction = {nullptr, Json::object(), begun.lacks[i]};
        evaluated.records.push_back({sample.dataset, sample.id, static_cast<std::uint32_t>(items[i] % manifest.repeats),
                                     evaluated.lease.number, prediction.prediction, prediction.detail,
                                     std::move(prediction.error)});
    }
    return evaluated;
}

}  // namespace evaljob
