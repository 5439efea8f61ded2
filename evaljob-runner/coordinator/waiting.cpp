#include "evaljob-runner/coordinator/waiting.hpp"

#include <algorithm>
#include <bit>

#include "api/assert.hpp"

namespace evaljob {

namespace {

constexpr double refit_growth = 1.5;  // of the observations, from one order to the next

/// To five significant bits, the middle of what has them in common.
std::uint64_t rounded(std::uint64_t bytes) {
    const int width = std::bit_width(bytes);
    if (width <= 5) return bytes;
    const int shift = width - 5;
    return ((bytes >> shift) << shift) | (std::uint64_t{1} << (shift - 1));
}

}  // namespace

LongestFirst::LongestFirst(const std::vector<BatchFeatures>& batches, const CostModel& model) {
    std::map<BatchFeatures, std::uint32_t> known;
    class_of_.reserve(batches.size());
    for (const BatchFeatures& batch : batches) {
        const BatchFeatures features{batch.kind, batch.samples, rounded(batch.bytes)};
        const auto [at, added] = known.try_emplace(features, static_cast<std::uint32_t>(classes_.size()));
        if (added) classes_.push_back({features, model.predict(features), {}});
        class_of_.push_back(at->second);
    }
}

LongestFirst::Key LongestFirst::key_of(std::uint32_t number) const {
    const Class& of = classes_[number];
    return {-of.cost, *of.batches.begin(), number};
}

void LongestFirst::put(std::uint64_t batch) {
    EVALJOB_ASSERT(batch < class_of_.size(), "what waits is a batch of the manifest");
    const std::uint32_t number = class_of_[batch];
    Class& of = classes_[number];
    if (of.batches.contains(batch)) return;
    const bool first = of.batches.empty() || batch < *of.batches.begin();
    if (first && !of.batches.empty()) order_.erase(key_of(number));
    of.batches.emplace_hint(of.batches.end(), batch);
    if (first) order_.insert(key_of(number));
    ++size_;
    cost_ += of.cost;
    EVALJOB_ASSERT(size_ <= class_of_.size(), "a batch waits once");
}

void LongestFirst::remove(std::uint64_t batch) {
    EVALJOB_ASSERT(batch < class_of_.size(), "what waits is a batch of the manifest");
    const std::uint32_t number = class_of_[batch];
    Class& of = classes_[number];
    const auto at = of.batches.find(batch);
    if (at == of.batches.end()) return;
    const bool first = at == of.batches.begin();
    const bool stood = !first || order_.erase(key_of(number)) == 1;
    EVALJOB_ASSERT(stood && size_ > 0, "a class that has batches stands in the order, by its cost and its first one");
    of.batches.erase(at);
    if (first && !of.batches.empty()) order_.insert(key_of(number));
    --size_;
    cost_ = size_ == 0 ? 0 : cost_ - of.cost;
}

std::optional<std::uint64_t> LongestFirst::next(std::int32_t /*rank*/) const {
    EVALJOB_ASSERT(order_.empty() == (size_ == 0), "no batch that waits is forgotten");
    if (order_.empty()) return std::nullopt;
    return std::get<1>(*order_.begin());
}

void LongestFirst::refit(const CostModel& model) {
    if (model.observations() < refit_at_) return;
    refit_at_ = std::max(model.observations() + 1,
                         static_cast<std::uint64_t>(static_cast<double>(model.observations()) * refit_growth));
    order_.clear();
    cost_ = 0;
    for (std::uint32_t number = 0; number < classes_.size(); ++number) {
        Class& of = classes_[number];
        of.cost = model.predict(of.features);
        if (of.batches.empty()) continue;
        cost_ += of.cost * static_cast<double>(of.batches.size());
        order_.insert(key_of(number));
    }
}

void FixedStride::put(std::uint64_t batch) {
    Part& part = part_of(batch);
    if (!part.batches.insert(batch).second) return;
    ++size_;
    lost_size_ += part.lost ? 1 : 0;
}

void FixedStride::remove(std::uint64_t batch) {
    Part& part = part_of(batch);
    if (part.batches.erase(batch) == 0) return;
    EVALJOB_ASSERT(size_ > 0 && (!part.lost || lost_size_ > 0), "whatever is taken was counted");
    --size_;
    lost_size_ -= part.lost ? 1 : 0;
}

std::optional<std::uint64_t> FixedStride::next(std::int32_t rank) const {
    if (rank >= 0 && static_cast<std::size_t>(rank) < parts_.size()) {
        const Part& own = parts_[static_cast<std::size_t>(rank)];
        if (!own.batches.empty()) return *own.batches.begin();
    }
    EVALJOB_ASSERT(lost_size_ <= size_, "what is lost waits");
    if (lost_size_ == 0) return std::nullopt;
    for (const Part& part : parts_)
        if (part.lost && !part.batches.empty()) return *part.batches.begin();
    return std::nullopt;
}

void FixedStride::set_present(std::int32_t rank, bool present) {
    if (rank < 0 || static_cast<std::size_t>(rank) >= parts_.size()) return;
    Part& part = parts_[static_cast<std::size_t>(rank)];
    if (part.lost != present) return;
    part.lost = !present;
    if (part.lost) {
        lost_size_ += part.batches.size();
    } else {
        EVALJOB_ASSERT(lost_size_ >= part.batches.size(), "whatever is found again was counted as lost");
        lost_size_ -= part.batches.size();
    }
}

}  // namespace evaljob
