#include "evaljob-runner/coordinator/first_failures.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace evaljob {

std::string kind_of_failure(std::string_view why) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::string kind;
    for (const char c : why)
        if (!is_digit(c))
            kind += c;
        else if (!kind.ends_with('#'))
            kind += '#';
    return kind;
}

void FirstFailures::done(std::uint64_t batch, std::uint64_t samples, const std::string& failure) {
    if (over_) return;
    if (failure.empty() || (!failure_.empty() && kind_of_failure(failure) != kind_of_failure(failure_))) {
        over_ = true;
        return;
    }
    if (failure_.empty()) failure_ = failure;
    failed_ += samples;
    open_.erase(batch);
}

void FirstFailures::ask_first(std::set<std::uint64_t> cheapest) {
    cheapest_ = std::move(cheapest);
    open_ = cheapest_;
}

std::string FirstFailures::message() const {
    return "all of the first " + std::to_string(failed_) +
           " samples failed alike, the cheapest ones too, and the others were not tried: " + failure_ +
           "; with the cause mended the job goes on from here";
}

std::set<std::uint64_t> cheapest_of(std::size_t batches,
                                    const std::function<const BatchFeatures*(std::uint64_t)>& waits) {
    std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> by_cost;  // bytes, samples, batch
    for (std::uint64_t batch = 0; batch < batches; ++batch)
        if (const BatchFeatures* features = waits(batch))
            by_cost.emplace_back(features->bytes, features->samples, batch);
    std::sort(by_cost.begin(), by_cost.end());
    std::set<std::uint64_t> cheapest;
    std::set<std::uint64_t> kinds;
    std::uint64_t samples = 0;
    for (const auto& [bytes, size, batch] : by_cost) {
        if (!kinds.insert(waits(batch)->kind).second) continue;
        cheapest.insert(batch);
        samples += size;
    }
    for (const auto& [bytes, size, batch] : by_cost) {
        if (samples >= cheapest_samples) break;
        if (cheapest.insert(batch).second) samples += size;
    }
    return cheapest;
}

}  // namespace evaljob
