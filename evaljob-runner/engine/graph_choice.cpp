#include "evaljob-runner/engine/graph_choice.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace evaljob {

namespace {

bool enough(const std::vector<double>& times) { return times.size() >= static_cast<std::size_t>(GraphChoice::timed); }

double median(std::vector<double> times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

}  // namespace

GraphRun GraphChoice::next() const {
    if (!verdict_.empty()) return decided_;
    if (recorded_) return GraphRun::Replay;
    return enough(eager_) ? GraphRun::Record : GraphRun::Eager;
}

bool GraphChoice::times() const { return verdict_.empty() && runs_ >= warm_up && next() != GraphRun::Record; }

void GraphChoice::ran(double milliseconds) {
    if (!verdict_.empty()) return;
    if (next() == GraphRun::Record) {
        recorded_ = true;
        return;
    }
    if (runs_++ < warm_up) return;
    (recorded_ ? replayed_ : eager_).push_back(milliseconds);
    if (!enough(replayed_)) return;
    const double without = median(eager_);
    const double with = median(replayed_);
    decided_ = with < without ? GraphRun::Replay : GraphRun::Eager;
    std::array<char, 96> text{};
    std::snprintf(text.data(), text.size(), "%s: %.3f ms with a graph, %.3f ms without",
                  decided_ == GraphRun::Replay ? "replayed" : "not replayed", with, without);
    verdict_ = text.data();
}

void GraphChoice::give_up(std::string why) {
    decided_ = GraphRun::Eager;
    verdict_ = "not replayed: " + std::move(why);
}

}  // namespace evaljob
