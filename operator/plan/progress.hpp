// What node 0's runner reports, as status holds it. Pure.
#pragma once

#include "operator/plan/status.hpp"

namespace evaljob {

/// The progress to show: the old one while it is young, the newest when `exact`, and whole once all nodes are done.
std::optional<Progress> next_progress(const Observed& observed, const Verdict& verdict);

/// Where node 0's runner tells its progress.
struct ProgressPlace {
    std::string address;  // of its Pod
    std::int32_t port = 0;
};

/// Nothing while nobody would answer: without eval, while node 0's runner does not run, once the job has ended.
std::optional<ProgressPlace> progress_place(const Observed& observed, const Settings& settings);

/// "73%"; empty while unknown. Never "100%" before the last sample.
std::string percent(const std::optional<Progress>& progress);

/// "0.913" of the first metric; empty while there is none.
std::string score(const std::vector<Metric>& metrics);

}  // namespace evaljob
