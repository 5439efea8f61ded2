#include "evaljob-runner/rank/evaluator.hpp"

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

Result<std::vector<Record>> Evaluator::evaluate(std::uint64_t batch, LeaseNumber lease) {
    const auto& items = manifest_.batches.at(batch).items;
    std::vector<Sample> samples;
    std::vector<Record> records;
    for (const std::uint64_t item : items) {
        const ManifestSample& expected = manifest_.samples[item / manifest_.repeats];
        Sample sample = datasets_[expected.dataset]->sample(item / manifest_.repeats - first_sample_[expected.dataset]);
        if (content_hash(sample) != expected.hash) {
            return fail("BadInput", "sample " + expected.id + " of dataset " + eval_.datasets[expected.dataset].name +
                                        " is not the one of the manifest; every node must see the same files");
        }
        Record record;
        record.dataset = expected.dataset;
        record.id = expected.id;
        record.repeat = static_cast<std::uint32_t>(item % manifest_.repeats);
        record.lease = lease;
        records.push_back(std::move(record));
        samples.push_back(std::move(sample));
    }
    const Dataset& dataset = eval_.datasets[records.front().dataset];
    auto predictions = engine_->evaluate(samples, dataset.task);
    if (!predictions) {
        const Error& error = predictions.error();
        return fail(error.reason, "dataset " + dataset.name + ": " + error.message, error.retry);
    }
    for (std::size_t i = 0; i < records.size(); ++i) {
        records[i].prediction = std::move((*predictions)[i].prediction);
        records[i].detail = std::move((*predictions)[i].detail);
        records[i].error = std::move((*predictions)[i].error);
    }
    return records;
}

}  // namespace evaljob
