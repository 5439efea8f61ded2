// How long a batch will take, before it is evaluated: learned while the run goes on from what finished leases took.
// Pure.
//
// A batch takes θ₁·samples + θ₂·bytes of input, with θ of its kind (its dataset), times its rank's factor. θ is a least
// squares fit of the relative error over the last few hundred batches, for costs need not be linear, and the longest
// batches are leased first; with a belief that both count alike, which fades. Of a kind's first few batches the ranks'
// factors learn nothing: they would learn the fit's first errors. One far from what was expected counts only a few
// times that.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace evaljob {

/// What is known of a batch before the run.
struct BatchFeatures {
    std::uint32_t kind = 0;
    std::uint32_t samples = 0;
    std::uint64_t bytes = 0;  // of their input; 0: not known

    auto operator<=>(const BatchFeatures&) const = default;
};

class CostModel {
public:
    /// Before anything is learned a batch is expected to take so much as its samples and bytes say, by these means.
    void expect(const BatchFeatures& batch);

    /// A rank has computed a batch for so long.
    void observe(const BatchFeatures& batch, std::int32_t rank, double ms);

    /// Milliseconds on an ordinary rank; before anything is learned, only in proportion.
    double predict(const BatchFeatures& batch) const;
    /// Before anything is learned: as long as it may take when its samples alone, or its bytes alone, tell the cost.
    double at_most(const BatchFeatures& batch) const;
    bool known() const { return observations_ > 0; }
    std::uint64_t observations() const { return observations_; }

    /// How many times an ordinary rank's time this one takes; ordinary is the geometric mean of all.
    double factor(std::int32_t rank) const;

private:
    struct Shape {  // a batch by its kind's mean: 1, 1 is the mean batch
        double samples = 0;
        double bytes = 0;
        double size() const { return (samples + bytes) / 2; }
    };
    /// Sums over what was observed, the older the lighter.
    struct Kind {
        double batches = 0;
        double samples = 0;
        double bytes = 0;
        double weight = 0;                 // Σ w
        double level = 0;                  // Σ w·y, y the time by the batch's size
        std::array<double, 3> squares{};   // Σ w·x·xᵀ: samples², samples·bytes, bytes²
        std::array<double, 2> products{};  // Σ w·x·y
        std::array<double, 2> theta{};
    };
    struct Rank {
        double batches = 0;
        double expected = 0;
        double took = 0;
    };

    static Shape shape_of(const Kind& kind, const BatchFeatures& batch);
    double unlearned(const Kind& kind, double size) const;
    double raw_prediction(const BatchFeatures& batch) const;
    double raw_factor(std::int32_t rank) const;
    static void fit(Kind& kind);

    std::vector<Kind> kinds_;
    std::map<std::int32_t, Rank> ranks_;
    double log_factors_ = 0;  // Σ of the ranks' raw factors' logarithms: θ and factors have no scale of their own
    double scale_ = 1;        // their geometric mean
    std::uint64_t observations_ = 0;
    double ms_ = 0;  // Σ over all kinds, by weight, for kinds of which nothing is known yet
    double samples_ = 0;
};

}  // namespace evaljob
