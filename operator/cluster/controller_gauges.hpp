// What a controller's state shows when someone asks for the metrics: counted then, kept nowhere. Thread-safe.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <mutex>
#include <vector>

#include "operator/controller.hpp"

namespace evaljob::cluster {

class ControllerGauges : public prometheus::Collectable {
public:
    /// nullptr: there is none (any more).
    void read_from(const Controller* controller);

    std::vector<prometheus::MetricFamily> Collect() const override;

private:
    mutable std::mutex mutex_;
    const Controller* controller_ = nullptr;
};

}  // namespace evaljob::cluster
