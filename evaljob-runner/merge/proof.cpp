#include "evaljob-runner/merge/proof.hpp"

#include <utility>

#include "api/assert.hpp"
#include "evaljob-runner/merge/labels.hpp"

namespace evaljob {

namespace {

/// A record's content as it is compared and kept.
struct Content {
    ItemState state;
    std::string_view prediction;
    std::string_view detail;
    std::string_view error;

    std::string bytes() const {
        std::string all;
        all.reserve(prediction.size() + detail.size() + error.size());
        return all.append(prediction).append(detail).append(error);
    }
};

Content content_of(const Record& record) {
    // A record that holds neither prediction nor error must not pass for a prediction.
    if (!record.failed() && record.prediction.is_null())
        return {ItemState::Failed, "", record.detail.text(), "the record holds no prediction"};
    if (record.failed()) return {ItemState::Failed, "", record.detail.text(), record.error};
    return {ItemState::Predicted, record.prediction.text(), record.detail.text(), ""};
}

}  // namespace

Outcome Proof::outcome(std::uint64_t item) const {
    EVALJOB_ASSERT(item < held_.size(), "an outcome is of an item of the manifest");
    const Held& held = held_[item];
    std::string_view content(contents_);
    EVALJOB_ASSERT(held.at <= content.size(), "what counts for an item was kept");
    content = content.substr(held.at);
    EVALJOB_ASSERT(content.size() >= std::size_t{held.prediction} + held.detail + held.error, "and the whole of it");
    return {held.state, held.lease, content.substr(0, held.prediction), content.substr(held.prediction, held.detail),
            content.substr(held.prediction + held.detail, held.error)};
}

Prover::Prover(const Manifest& manifest, std::string identity)
    : manifest_(manifest), identity_(std::move(identity)), samples_(manifest.samples) {
    proof_.items = manifest.items();
    proof_.held_.resize(proof_.items);
}

void Prover::begin_shard(std::string name, std::string_view identity) {
    shard_ = std::move(name);
    foreign_shard_ = identity != identity_;
    if (foreign_shard_) proof_.foreign_shards.push_back(shard_);
}

std::optional<std::uint64_t> Prover::sample_of(const Record& record) const {
    if (foreign_shard_ || record.repeat >= manifest_.repeats) return std::nullopt;
    if (next_ < manifest_.samples.size()) {
        const ManifestSample& guess = manifest_.samples[next_];
        if (guess.dataset == record.dataset && guess.id == record.id) return next_;
    }
    return samples_.find(record.dataset, record.id);
}

void Prover::add(const Record& record) {
    ++proof_.records;
    const auto sample = sample_of(record);
    if (!sample) {
        proof_.foreign.add("dataset " + std::to_string(record.dataset) + ", id \"" + record.id + "\", repeat " +
                           std::to_string(record.repeat) + " in " + shard_);
        return;
    }
    EVALJOB_ASSERT(*sample * manifest_.repeats + record.repeat < proof_.held_.size(), "what counts is of the manifest");
    next_ = record.repeat + 1 == manifest_.repeats ? *sample + 1 : *sample;
    hold(proof_.held_[*sample * manifest_.repeats + record.repeat], record);
}

void Prover::hold(Proof::Held& held, const Record& record) {
    const Content content = content_of(record);
    const std::string bytes = content.bytes();
    bool better = true;
    if (held.state != ItemState::Missing) {
        held.repeated = true;
        ++proof_.extra_records;
        std::string_view before =
            std::string_view(proof_.contents_).substr(held.at, std::size_t{held.prediction} + held.detail + held.error);
        bool same = before == bytes && held.state == content.state;
        // Failures may word themselves differently each time; only two predictions can contradict each other.
        if (!same && held.state == ItemState::Predicted && content.state == ItemState::Predicted)
            held.conflicting = true;
        if (content.state != held.state)
            better = content.state == ItemState::Predicted;
        else if (record.lease != held.lease)
            better = record.lease < held.lease;
        else
            better = bytes < before;  // one lease, two contents: any fixed choice, as long as reading order has no say
        if (better && same) {
            held.lease = record.lease;
            return;
        }
    }
    if (!better) return;
    held.lease = record.lease;
    held.state = content.state;
    held.at = proof_.contents_.size();
    held.prediction = static_cast<std::uint32_t>(content.prediction.size());
    held.detail = static_cast<std::uint32_t>(content.detail.size());
    held.error = static_cast<std::uint32_t>(content.error.size());
    proof_.contents_ += bytes;
    EVALJOB_ASSERT(bytes.size() == std::size_t{held.prediction} + held.detail + held.error,
                   "a content is its three parts");
    EVALJOB_ASSERT(held.state != ItemState::Missing, "an item with a record is not missing");
}

Proof Prover::finish() && {
    auto list = [&](Fault& fault, std::uint64_t item) {
        if (fault.count < max_named_ids)
            fault.add(item_name(manifest_, item));
        else
            ++fault.count;
    };
    for (std::uint64_t item = 0; item < proof_.items; ++item) {
        const Proof::Held& held = proof_.held_[item];
        if (held.state == ItemState::Missing) list(proof_.missing, item);
        if (held.state == ItemState::Failed) list(proof_.failed, item);
        if (held.repeated) list(proof_.repeated, item);
        if (held.conflicting) list(proof_.conflicting, item);
        EVALJOB_ASSERT(!held.conflicting || held.repeated, "only what is repeated can conflict");
        EVALJOB_ASSERT(held.state != ItemState::Missing || !held.repeated, "what is repeated is not missing");
    }
    EVALJOB_ASSERT(proof_.missing.count <= proof_.items, "what is missing is of the manifest");
    EVALJOB_ASSERT(proof_.records == proof_.foreign.count + proof_.extra_records + proof_.items - proof_.missing.count,
                   "every record counts for one item, is one too many for it, or is foreign");
    return std::move(proof_);
}

std::string item_name(const Manifest& manifest, std::uint64_t item) {
    EVALJOB_ASSERT(item < manifest.items(), "an item that has a name is of the manifest");
    const ManifestSample& sample = manifest.samples[item / manifest.repeats];
    std::string name = sample.id;
    if (dataset_count(manifest) > 1) name = dataset_name(manifest, sample.dataset) + "/" + name;
    if (manifest.repeats > 1) name += "#" + std::to_string(item % manifest.repeats);
    return name;
}

}  // namespace evaljob
