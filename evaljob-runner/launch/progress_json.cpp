#include "evaljob-runner/launch/progress_json.hpp"

#include <algorithm>

#include "api/json.hpp"

namespace evaljob {

namespace {

constexpr std::int64_t standstill_seconds = 10;

/// While nothing is finished: the rank that has held a lease for longest. Empty when none holds any.
std::string stuck_rank(const CoordinatorProgress& progress) {
    const auto longest = std::ranges::max_element(progress.ranks, {}, &RankProgress::holding);
    if (longest == progress.ranks.end() || longest->holding == 0) return "";
    return std::to_string(longest->rank);
}

/// Else the one that needs the longest for a sample; empty before two ranks have done any.
std::string slowest_rank(const CoordinatorProgress& progress) {
    if (progress.idle_seconds >= standstill_seconds) return stuck_rank(progress);
    std::string slowest;
    double worst = 0;
    int measured = 0;
    for (const RankProgress& rank : progress.ranks) {
        if (rank.samples == 0) continue;
        ++measured;
        const double us = static_cast<double>(rank.compute_us) / static_cast<double>(rank.samples);
        if (us <= worst) continue;
        worst = us;
        slowest = std::to_string(rank.rank);
    }
    return measured > 1 ? slowest : "";
}

}  // namespace

std::string progress_json(const CoordinatorProgress& p, std::int32_t attempt, const std::string& identity) {
    Json ranks = Json::array();
    for (const RankProgress& rank : p.ranks) {
        ranks.push_back({{"rank", rank.rank},
                         {"connected", rank.connected},
                         {"samples", rank.samples},
                         {"computeSeconds", static_cast<double>(rank.compute_us) / 1e6},
                         {"idleSeconds", static_cast<double>(rank.idle) / 1e3},
                         {"slowness", rank.slowness}});
    }
    Json balance{{"makespanSeconds", p.balance.makespan_ms / 1e3}, {"idleSeconds", p.balance.idle_ms / 1e3}};
    if (p.balance.bound_ms > 0) balance["boundSeconds"] = p.balance.bound_ms / 1e3;
    return Json{{"attempt", attempt},
                {"identity", identity},
                {"idleSeconds", p.idle_seconds},
                {"samplesDone", p.samples_done},
                {"samplesTotal", p.samples_total},
                {"samplesResumed", p.samples_resumed},
                {"samplesFailed", p.samples_failed},
                {"samplesPerSecond", p.samples_per_second},
                {"etaSeconds", p.eta_seconds},
                {"batches", p.batches},
                {"leases", p.leases},
                {"leasesAgain", p.leases_again},
                {"leasesTwice", p.leases_twice},
                {"balance", std::move(balance)},
                {"rendezvousReady", p.rendezvous_ready},
                {"finished", p.finished},
                {"slowestRank", slowest_rank(p)},
                {"waitingFor", p.waiting_for},
                {"ranks", std::move(ranks)}}
        .dump();
}

}  // namespace evaljob
