#include "evaljob-runner/rank/batch_reader.hpp"

#include <utility>

#include "evaljob-runner/engine/sample_seed.hpp"

namespace evaljob {

BatchReader::BatchReader(Eval eval, Manifest manifest) : eval_(std::move(eval)), manifest_(std::move(manifest)) {}

Result<std::unique_ptr<BatchReader>> BatchReader::open(const Eval& eval, const std::string& storage_root,
                                                       Manifest manifest) {
    std::unique_ptr<BatchReader> batches(new BatchReader(eval, std::move(manifest)));
    std::uint64_t first = 0;
    for (const Dataset& dataset : eval.datasets) {
        auto reader = open_dataset(dataset, storage_root);
        if (!reader) return tl::unexpected(reader.error());
        batches->first_sample_.push_back(first);
        first += (*reader)->size();
        batches->datasets_.push_back(std::move(*reader));
    }
    if (first != batches->manifest_.samples.size()) {
        return fail("BadInput",
                    "the datasets have " + std::to_string(first) + " samples on this node, the manifest has " +
                        std::to_string(batches->manifest_.samples.size()) + "; every node must see the same files");
    }
    return batches;
}

Result<Request> BatchReader::request_for(std::uint64_t item) {
    const std::uint64_t index = item / manifest_.repeats;
    const ManifestSample& expected = manifest_.samples[index];
    auto sample = datasets_[expected.dataset]->sample(index - first_sample_[expected.dataset]);
    if (!sample) return tl::unexpected(sample.error());
    if (content_hash(*sample) != expected.hash) {
        return fail("BadInput", "sample " + expected.id + " of dataset " + eval_.datasets[expected.dataset].name +
                                    " is not the one of the manifest; every node must see the same files");
    }
    const auto repeat = static_cast<std::uint32_t>(item % manifest_.repeats);
    Request request;
    request.sample = std::move(*sample);
    request.repeat = repeat;
    request.seed = sample_seed(eval_.inference.seed, expected.id, repeat);
    return request;
}

Result<EngineBatch> BatchReader::read(std::uint64_t batch) {
    EngineBatch read;
    for (const std::uint64_t item : manifest_.batches.at(batch).items) {
        read.dataset = &eval_.datasets[manifest_.samples[item / manifest_.repeats].dataset];
        auto request = request_for(item);
        if (!request) return tl::unexpected(request.error());
        read.requests.push_back(std::move(*request));
    }
    return read;
}

}  // namespace evaljob
