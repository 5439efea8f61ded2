#include "evaljob-runner/rank/evaluator.hpp"

#include <utility>

#include "evaljob-runner/engine/sample_seed.hpp"

namespace evaljob {

Evaluator::Evaluator(Eval eval, Manifest manifest, std::unique_ptr<Engine> engine)
    : eval_(std::move(eval)), manifest_(std::move(manifest)), engine_(std::move(engine)) {}

Result<Evaluator> Evaluator::open(const Eval& eval, const std::string& storage_root, Manifest manifest,
                                  std::unique_ptr<Engine> engine) {
    Evaluator evaluator(eval, std::move(manifest), std::move(engine));
    std::uint64_t first = 0;
    for (const Dataset& dataset : eval.datasets) {
        auto reader = open_dataset(dataset, storage_root);
        if (!reader) return tl::unexpected(reader.error());
        evaluator.first_sample_.push_back(first);
        first += (*reader)->size();
        evaluator.datasets_.push_back(std::move(*reader));
    }
    if (first != evaluator.manifest_.samples.size()) {
        return fail("BadInput",
                    "the datasets have " + std::to_string(first) + " samples on this node, the manifest has " +
                        std::to_string(evaluator.manifest_.samples.size()) + "; every node must see the same files");
    }
    return evaluator;
}

Result<Request> Evaluator::request_for(std::uint64_t item) {
    const std::uint64_t index = item / manifest_.repeats;
    const ManifestSample& expected = manifest_.samples[index];
    auto sample = datasets_[expected.dataset]->sample(index - first_sample_[expected.dataset]);
    if (!sample) return tl::unexpected(sample.error());
    if (content_hash(*sample) != expected.hash) {
        return fail("BadInput", "sample " + expected.id + " of dataset " + eval_.datasets[expected.dataset].name +
                                    " is not the one of the manifest; every node must see the same files");
    }
    const auto repeat = static_cast<std::uint32_t>(item % manifest_.repeats);
    return Request{std::move(*sample), repeat, sample_seed(eval_.inference.seed, expected.id, repeat)};
}

Result<void> Evaluator::begin(const Lease& lease) {
    EngineBatch batch;
    batch.ticket = next_ticket_++;
    for (const std::uint64_t item : manifest_.batches.at(lease.batch).items) {
        batch.dataset = &eval_.datasets[manifest_.samples[item / manifest_.repeats].dataset];
        auto request = request_for(item);
        if (!request) return tl::unexpected(request.error());
        batch.requests.push_back(std::move(*request));
    }
    begun_[batch.ticket] = lease;
    engine_->begin(std::move(batch));
    return {};
}

Result<Evaluator::Evaluated> Evaluator::next() {
    auto answer = engine_->next();
    if (!answer) return tl::unexpected(answer.error());
    Evaluated evaluated{begun_.at(answer->ticket), {}, answer->parts, std::move(answer->why_parts)};
    begun_.erase(answer->ticket);
    const auto& items = manifest_.batches.at(evaluated.lease.batch).items;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const ManifestSample& sample = manifest_.samples[items[i] / manifest_.repeats];
        Prediction& prediction = answer->predictions.at(i);
        evaluated.records.push_back({sample.dataset, sample.id,
                                     static_cast<std::uint32_t>(items[i] % manifest_.repeats), evaluated.lease.number,
                                     std::move(prediction.prediction), std::move(prediction.detail),
                                     std::move(prediction.error)});
    }
    return evaluated;
}

}  // namespace evaljob
