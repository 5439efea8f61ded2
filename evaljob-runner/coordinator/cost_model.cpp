#include "evaljob-runner/coordinator/cost_model.hpp"

#include <algorithm>
#include <cmath>

#include "api/assert.hpp"

namespace evaljob {

namespace {

constexpr double memory = 1.0 - 1.0 / 512;      // of what was observed, at each new observation of the kind
constexpr double rank_memory = 1.0 - 1.0 / 32;  // of a rank's own
constexpr double belief = 1;                    // in "both count alike": one batch of as many as were observed
constexpr double far_off = 5;                   // times what was expected, up or down: counts as so much
constexpr std::uint64_t settled = 8;            // batches of a kind, before any is held against what was expected

}  // namespace

CostModel::Shape CostModel::shape_of(const Kind& kind, const BatchFeatures& batch) {
    Shape shape;
    shape.samples = kind.samples > 0 ? batch.samples * kind.batches / kind.samples : 1;
    shape.bytes = kind.bytes > 0 ? static_cast<double>(batch.bytes) * kind.batches / kind.bytes : shape.samples;
    return shape;
}

void CostModel::expect(const BatchFeatures& batch) {
    if (kinds_.size() <= batch.kind) kinds_.resize(batch.kind + 1);
    Kind& kind = kinds_[batch.kind];
    ++kind.batches;
    kind.samples += batch.samples;
    kind.bytes += static_cast<double>(batch.bytes);
}

void CostModel::observe(const BatchFeatures& batch, std::int32_t rank_number, double ms) {
    if (ms <= 0 || batch.samples == 0 || batch.kind >= kinds_.size()) return;
    Kind& kind = kinds_[batch.kind];
    const Shape shape = shape_of(kind, batch);
    const double size = shape.size();
    if (size <= 0) return;
    ++observations_;
    Rank& rank = ranks_[rank_number];
    log_factors_ -= std::log(raw_factor(rank_number));
    const double expected = raw_prediction(batch);
    if (kind.weight >= settled) {
        const double usual = expected * raw_factor(rank_number);
        ms = std::clamp(ms, usual / far_off, usual * far_off);
        rank.batches = rank.batches * rank_memory + 1;
        rank.expected = rank.expected * rank_memory + expected;
        rank.took = rank.took * rank_memory + ms;
    }
    log_factors_ += std::log(raw_factor(rank_number));
    EVALJOB_ASSERT(std::isfinite(log_factors_), "every rank's factor is above zero");
    scale_ = std::exp(log_factors_ / static_cast<double>(ranks_.size()));
    const double ordinary = ms / raw_factor(rank_number);
    ms_ = ms_ * memory + ordinary;
    samples_ = samples_ * memory + batch.samples;

    for (double* sum : {&kind.weight, &kind.level, &kind.squares[0], &kind.squares[1], &kind.squares[2],
                        &kind.products[0], &kind.products[1]})
        *sum *= memory;
    const double w = 1 / (size * size);  // errors count by what the batch takes
    kind.weight += 1;
    kind.level += ordinary / size;
    kind.squares[0] += w * shape.samples * shape.samples;
    kind.squares[1] += w * shape.samples * shape.bytes;
    kind.squares[2] += w * shape.bytes * shape.bytes;
    kind.products[0] += w * shape.samples * ordinary;
    kind.products[1] += w * shape.bytes * ordinary;
    fit(kind);
}

// Neither feature can make a batch cheaper.
void CostModel::fit(Kind& kind) {
    const double alike = kind.level / kind.weight / 2;
    const double weak = belief / kind.weight;
    const double a = kind.squares[0] + weak;
    const double b = kind.squares[1];
    const double c = kind.squares[2] + weak;
    const double p = kind.products[0] + weak * alike;
    const double q = kind.products[1] + weak * alike;
    const double determinant = a * c - b * b;
    EVALJOB_ASSERT(determinant > 0, "what is believed before anything is observed keeps the fit solvable");
    kind.theta = {(p * c - q * b) / determinant, (q * a - p * b) / determinant};
    if (kind.theta[0] < 0) kind.theta = {0, q / c};
    if (kind.theta[1] < 0) kind.theta = {p / a, 0};
    EVALJOB_ASSERT(kind.theta[0] >= 0 && kind.theta[1] >= 0, "more work takes no less time");
}

double CostModel::predict(const BatchFeatures& batch) const { return raw_prediction(batch) * scale_; }

double CostModel::factor(std::int32_t rank) const { return ranks_.contains(rank) ? raw_factor(rank) / scale_ : 1; }

double CostModel::raw_prediction(const BatchFeatures& batch) const {
    if (batch.kind >= kinds_.size()) return 0;
    const Kind& kind = kinds_[batch.kind];
    const Shape shape = shape_of(kind, batch);
    if (kind.weight > 0) return kind.theta[0] * shape.samples + kind.theta[1] * shape.bytes;
    return unlearned(kind, shape.size());
}

/// `size`: 1 is the mean batch's.
double CostModel::unlearned(const Kind& kind, double size) const {
    const double ms_per_sample = samples_ > 0 ? ms_ / samples_ : 1;
    return kind.batches > 0 ? ms_per_sample * kind.samples / kind.batches * size : 0;
}

double CostModel::at_most(const BatchFeatures& batch) const {
    if (batch.kind >= kinds_.size()) return 0;
    const Kind& kind = kinds_[batch.kind];
    const Shape shape = shape_of(kind, batch);
    return unlearned(kind, std::max(shape.samples, shape.bytes));
}

double CostModel::raw_factor(std::int32_t rank) const {
    const auto it = ranks_.find(rank);
    if (it == ranks_.end() || it->second.expected <= 0) return 1;
    // As if it had taken one more mean batch, in ordinary time: its first ones tell little.
    const Rank& of = it->second;
    EVALJOB_ASSERT(of.batches > 0 && of.took > 0, "what was expected of a rank was of batches that it computed");
    const double mean = of.expected / of.batches;
    return (of.took + mean) / (of.expected + mean);
}

}  // namespace evaljob
