#include "evaljob-runner/merge/timeline.hpp"

#include <algorithm>
#include <map>

#include "evaljob-runner/coordinator/balance.hpp"
#include "evaljob-runner/merge/statistics.hpp"

namespace evaljob {

namespace {

/// Spans closer than this share of the panel are drawn as one: less than a pixel on any screen.
constexpr double resolution = 0.0006;

struct Work {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int32_t rank = 0;
    std::int32_t node = 0;
    std::uint64_t batch = 0;
    std::uint32_t samples = 0;
    bool repeated = false;
    bool split = false;
};

std::vector<Work> all_work(const std::vector<ShardTrace>& shards) {
    std::map<std::uint64_t, LeaseNumber> first;
    for (const ShardTrace& shard : shards)
        for (const BatchEnd& b : shard.batches) {
            auto [entry, added] = first.emplace(b.batch, b.lease);
            if (!added && b.lease < entry->second) entry->second = b.lease;
        }
    std::vector<Work> work;
    for (const ShardTrace& shard : shards)
        for (const BatchEnd& b : shard.batches)
            work.push_back({b.begin_us, std::max(b.begin_us, b.end_us), shard.header.rank, shard.header.node_rank,
                            b.batch, b.samples, first.at(b.batch) < b.lease, b.parts > 1});
    std::sort(work.begin(), work.end(), [](const Work& a, const Work& b) {
        return std::tie(a.begin, a.rank, a.batch, a.end) < std::tie(b.begin, b.rank, b.batch, b.end);
    });
    return work;
}

std::string seconds(std::int64_t us) { return decimal(static_cast<double>(us) / 1e6, us < 10'000'000 ? 3 : 1) + " s"; }

std::string title_of(const Work& first, const Work& last, std::uint64_t samples) {
    std::string name = first.batch == last.batch
                           ? "batch " + std::to_string(first.batch)
                           : "batches " + std::to_string(first.batch) + " to " + std::to_string(last.batch);
    return name + ": " + std::to_string(samples) + " samples, " + seconds(last.end - first.begin) +
           (first.repeated ? ", done again" : "");
}

/// The lane of one rank; `work` is sorted by begin.
Lane lane_of(const std::vector<Work>& work, const TimelinePanel& panel) {
    Lane lane{work.front().rank, work.front().node};
    double length = static_cast<double>(std::max<std::int64_t>(1, panel.end_us - panel.begin_us));
    auto share = [&](std::int64_t us) { return static_cast<double>(us - panel.begin_us) / length; };
    std::int64_t covered = panel.begin_us;  // busy time is counted once, also where batches overlap
    std::int64_t busy = 0;
    const Work* first = nullptr;
    std::uint64_t samples = 0;
    for (const Work& w : work) {
        busy += std::max<std::int64_t>(0, w.end - std::max(covered, w.begin));
        covered = std::max(covered, w.end);
        ++lane.batches;
        lane.samples += w.samples;
        bool joins = !lane.spans.empty() && lane.spans.back().repeated == w.repeated &&
                     share(w.end) - lane.spans.back().from < 4 * resolution &&
                     share(w.begin) - lane.spans.back().to < resolution;
        if (!joins) {
            lane.spans.push_back({share(w.begin), share(w.end), w.repeated, ""});
            first = &w;
            samples = 0;
        }
        samples += w.samples;
        lane.spans.back().to = std::max(lane.spans.back().to, share(w.end));
        lane.spans.back().title = title_of(*first, w, samples);
    }
    lane.busy = static_cast<double>(busy) / length;
    return lane;
}

double over_bound(const TimelinePanel& panel, const std::map<std::int32_t, std::vector<Work>>& by_rank) {
    std::vector<RankWork> ranks;
    double longest = 0;
    for (const auto& [rank, lane] : by_rank) {
        RankWork& of = ranks.emplace_back(RankWork{1, 0, {{lane.front().begin / 1'000, std::nullopt}}});
        std::int64_t covered = lane.front().begin;
        for (const Work& w : lane) {
            if (w.begin + (w.end - w.begin) / 2 < covered) return 0;  // less is a clock that was put right
            covered = std::max(covered, w.end);
            if (w.repeated) continue;
            const double ms = static_cast<double>(w.end - w.begin) / 1'000;
            of.useful_ms += ms;
            longest = std::max(longest, ms);
        }
    }
    const double bound = bound_ms(ranks, longest, panel.begin_us / 1'000);
    return bound <= 0 ? 1 : std::max(1.0, static_cast<double>(panel.end_us - panel.begin_us) / 1'000 / bound);
}

TimelinePanel panel_of(const std::vector<Work>& work) {
    TimelinePanel panel{work.front().begin, work.front().end};
    std::map<std::int32_t, std::vector<Work>> by_rank;
    for (const Work& w : work) {
        panel.end_us = std::max(panel.end_us, w.end);
        by_rank[w.rank].push_back(w);
    }
    for (const auto& [rank, lane] : by_rank) {
        panel.lanes.push_back(lane_of(lane, panel));
        panel.busy += panel.lanes.back().busy / static_cast<double>(by_rank.size());
    }
    panel.over_bound = over_bound(panel, by_rank);
    return panel;
}

}  // namespace

Timeline timeline_of(const std::vector<ShardTrace>& shards) {
    Timeline timeline;
    std::vector<Work> panel;
    std::int64_t covered = 0;
    for (const Work& w : all_work(shards)) {
        ++timeline.batches;
        timeline.repeated_batches += w.repeated;
        if (!panel.empty() && w.begin - covered > panel_gap_us) {
            timeline.panels.push_back(panel_of(panel));
            panel.clear();
        }
        covered = panel.empty() ? w.end : std::max(covered, w.end);
        panel.push_back(w);
    }
    if (!panel.empty()) timeline.panels.push_back(panel_of(panel));
    return timeline;
}

std::uint64_t split_batches(const std::vector<ShardTrace>& shards) {
    const std::vector<Work> work = all_work(shards);
    return static_cast<std::uint64_t>(
        std::count_if(work.begin(), work.end(), [](const Work& w) { return w.split && !w.repeated; }));
}

}  // namespace evaljob
