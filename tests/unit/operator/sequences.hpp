// Whole lives of jobs as rows: what happens, and the one line of the plan that answers it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "api/merge_report.hpp"
#include "builders.hpp"
#include "world.hpp"

namespace evaljob::testing {

struct Step {
    std::function<void(World&)> happens;
    std::string plan;
};

struct Row {
    std::string name;
    JobBuilder job;
    std::vector<Step> steps;
};

inline void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

/// Plays the row, and checks that the job then comes to rest.
inline void play(const Row& row) {
    World world(row.job.build());
    int number = 0;
    for (const Step& step : row.steps) {
        SCOPED_TRACE("step " + std::to_string(number++));
        step.happens(world);
        EXPECT_EQ(line(world.step()), step.plan);
        world.pass(1);
    }
    world.settle();
}

inline std::string proven() {
    MergeReport report;
    report.published = true;
    report.identity = test::frozen_identity();
    report.digest = "d1";
    report.path = "results/sha256-d1";
    report.samples = 100;
    report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 100}};
    return encode_merge_report(report);
}

inline std::string unproven() {
    MergeReport report;
    report.samples = 100;
    report.missing = 1;
    report.ids = {"s7"};
    report.error = "1 of 100 samples is missing: s7";
    return encode_merge_report(report);
}

inline void nothing(World&) {}
inline void run(World& world) { world.run_pods(); }
inline void gone(World& world) { world.finish_deletions(); }
inline void merged(World& world) { world.finish_merge(proven()); }
inline auto exits(std::int32_t node, int code) {
    return [=](World& world) { world.exit(node, code, code == 0 ? "" : "last words of node " + std::to_string(node)); };
}
inline auto all_exit(int code) {
    return [=](World& world) { world.exit_all(code); };
}
inline auto vanishes(std::int32_t node) {
    return [=](World& world) { world.vanish(node); };
}
inline auto is_deleted(std::int32_t node) {
    return [=](World& world) { world.begin_deletion(node); };
}
inline auto passes(UnixSeconds seconds) {
    return [=](World& world) { world.pass(seconds); };
}

inline const Step made_two = {nothing, "Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2"};
inline const Step run_two = {run, " |  | Running 2/2"};
inline const Step quiet_two = {nothing, " |  | Running 2/2"};
inline const Step to_merge = {all_exit(0), "Merge |  | Merging 2/2"};

}  // namespace evaljob::testing
