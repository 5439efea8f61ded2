#include "evaljob-runner/coordinator/balance.hpp"

#include <algorithm>
#include <utility>

#include "api/assert.hpp"

namespace evaljob {

namespace {

constexpr std::size_t most_stays = 1'000;  // of one rank, that are told apart

/// Capacity that comes, or goes, from a moment on.
std::vector<std::pair<double, double>> changes_of(const std::vector<RankWork>& ranks, Milliseconds begun) {
    std::vector<std::pair<double, double>> changes;
    for (const RankWork& rank : ranks) {
        for (const Presence& stay : rank.there) {
            if (stay.to && *stay.to <= begun) continue;
            changes.emplace_back(std::max<double>(0, static_cast<double>(stay.from - begun)), rank.speed);
            if (stay.to) changes.emplace_back(static_cast<double>(*stay.to - begun), -rank.speed);
        }
    }
    std::sort(changes.begin(), changes.end());
    return changes;
}

}  // namespace

double bound_ms(const std::vector<RankWork>& ranks, double longest_ms, Milliseconds begun) {
    double work = 0;
    double fastest = 0;
    for (const RankWork& rank : ranks) {
        EVALJOB_ASSERT(rank.speed > 0, "every rank gets on");
        work += rank.useful_ms * rank.speed;
        if (!rank.there.empty()) fastest = std::max(fastest, rank.speed);
    }
    if (fastest <= 0) return 0;
    double now = 0;
    double capacity = 0;
    for (const auto& [moment, change] : changes_of(ranks, begun)) {
        if (capacity > 0 && work <= capacity * (moment - now)) break;
        work -= capacity * (moment - now);
        now = moment;
        capacity = std::max(0.0, capacity + change);
    }
    if (capacity > 1e-9) now += std::max(0.0, work) / capacity;
    EVALJOB_ASSERT(now >= 0, "no run ends before it begins");
    return std::max(now, longest_ms / fastest);
}

void Balance::came(std::int32_t number, Milliseconds now) {
    Rank& rank = ranks_[number];
    if (!rank.there.empty() && !rank.there.back().to) return;
    EVALJOB_ASSERT(rank.there.size() <= most_stays, "a rank that comes and goes costs bounded memory");
    EVALJOB_ASSERT(!rank.waits_since, "a rank that is not there waits for nothing");
    if (rank.there.size() >= most_stays) {
        rank.there.back().to.reset();
    } else {
        rank.there.push_back({now, std::nullopt});
    }
}

void Balance::went(std::int32_t number, Milliseconds now) {
    waits(number, false, now);
    Rank& rank = ranks_[number];
    if (!rank.there.empty() && !rank.there.back().to) rank.there.back().to = now;
}

void Balance::waits(std::int32_t number, bool waits, Milliseconds now) {
    Rank& rank = ranks_[number];
    if (waits == rank.waits_since.has_value()) return;
    if (waits) {
        rank.waits_since = now;
    } else {
        rank.idle += now - *std::exchange(rank.waits_since, std::nullopt);
    }
}

void Balance::ended(Milliseconds now) {
    for (auto& [number, rank] : ranks_) waits(number, false, now);
}

Milliseconds Balance::idle(std::int32_t number, Milliseconds now) const {
    const auto it = ranks_.find(number);
    if (it == ranks_.end()) return 0;
    return it->second.idle + (it->second.waits_since ? now - *it->second.waits_since : 0);
}

double Balance::useful_ms(std::int32_t number) const {
    const auto it = ranks_.find(number);
    return it == ranks_.end() ? 0 : it->second.useful_ms;
}

double Balance::bound(const std::function<double(std::int32_t)>& speed, double longest_ms, Milliseconds begun) const {
    std::vector<RankWork> all;
    all.reserve(ranks_.size());
    for (const auto& [number, rank] : ranks_) all.push_back({speed(number), rank.useful_ms, rank.there});
    return bound_ms(all, longest_ms, begun);
}

}  // namespace evaljob
