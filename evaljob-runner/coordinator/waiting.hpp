// The batches that wait for a lease, and which of them a rank gets next. Pure. Two orders: the longest predicted first
// for whoever asks (Dynamic), and a fixed stride by rank (Static).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "evaljob-runner/coordinator/cost_model.hpp"

namespace evaljob {

class Waiting {
public:
    virtual ~Waiting() = default;
    virtual void put(std::uint64_t batch) = 0;
    /// It may not be there.
    virtual void remove(std::uint64_t batch) = 0;
    /// What the rank gets next; it stays here.
    virtual std::optional<std::uint64_t> next(std::int32_t rank) const = 0;
    virtual std::size_t size() const = 0;
    /// Of those, how many anyone may have; the others are some rank's own.
    virtual std::size_t for_anyone() const = 0;
    /// The sum of what they are predicted to cost, in ms of an ordinary rank.
    virtual double cost() const = 0;
    virtual void refit(const CostModel& model) = 0;
    /// Whether the rank is there to do its part.
    virtual void set_present(std::int32_t rank, bool present) = 0;
};

/// The longest predicted first; with equal predictions in the manifest's order.
///
/// Batches of about the same features (bytes within 3 %) are one class, with one prediction. So a refit orders classes,
/// not batches, and only when the observations have grown by half since the last time: some 35 times in a million.
class LongestFirst : public Waiting {
public:
    /// `batches` are all there are; those that wait are put.
    LongestFirst(const std::vector<BatchFeatures>& batches, const CostModel& model);
    void put(std::uint64_t batch) override;
    void remove(std::uint64_t batch) override;
    std::optional<std::uint64_t> next(std::int32_t rank) const override;
    std::size_t size() const override { return size_; }
    std::size_t for_anyone() const override { return size_; }
    double cost() const override { return cost_; }
    void refit(const CostModel& model) override;
    void set_present(std::int32_t, bool) override {}

private:
    struct Class {
        BatchFeatures features;
        double cost = 0;
        std::set<std::uint64_t> batches;
    };
    using Key = std::tuple<double, std::uint64_t, std::uint32_t>;  // -cost, first batch, class
    Key key_of(std::uint32_t number) const;

    std::vector<Class> classes_;
    std::vector<std::uint32_t> class_of_;  // by batch
    std::set<Key> order_;                  // of classes that are not empty
    std::size_t size_ = 0;
    double cost_ = 0;
    std::uint64_t refit_at_ = 1;  // observations
};

/// Batch i belongs to rank i mod ranks, in the manifest's order. Only the part of a rank that is lost is others', when
/// they have no more of their own.
class FixedStride : public Waiting {
public:
    explicit FixedStride(std::int32_t ranks) : parts_(static_cast<std::size_t>(ranks)) {}
    void put(std::uint64_t batch) override;
    void remove(std::uint64_t batch) override;
    std::optional<std::uint64_t> next(std::int32_t rank) const override;
    std::size_t size() const override { return size_; }
    std::size_t for_anyone() const override { return lost_size_; }
    double cost() const override { return 0; }
    void refit(const CostModel&) override {}
    void set_present(std::int32_t rank, bool present) override;

private:
    struct Part {
        bool lost = false;
        std::set<std::uint64_t> batches;
    };
    Part& part_of(std::uint64_t batch) { return parts_[batch % parts_.size()]; }

    std::vector<Part> parts_;
    std::size_t size_ = 0;
    std::size_t lost_size_ = 0;  // of that, in parts that are lost
};

}  // namespace evaljob
