#include "evaljob-runner/engine/openai/silence.hpp"

#include <algorithm>

namespace evaljob::openai {

Silence::Id Silence::asked(Moment now) {
    open_[next_] = {now, now, 0};
    return next_++;
}

void Silence::heard(Id id, Moment now) {
    if (const auto found = open_.find(id); found != open_.end()) found->second.heard = now;
}

void Silence::answered(Id id, Moment now) {
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    longest_ = std::max(longest_.value_or(Moment(0)), now - found->second.asked);
    open_.erase(found);
    for (auto& [other, open] : open_)
        if (other < id) ++open.answers_beside;
}

Silence::Moment Silence::patience_with_closed_port() const {
    return longest_ ? std::max(bounds_.least, *longest_ * bounds_.times_longest) : bounds_.before_any_answer;
}

bool Silence::is_passed_over(const Open& open, Moment now) const {
    if (!longest_ || open.answers_beside < bounds_.answers_beside) return false;
    const Moment patience = *longest_ * bounds_.times_longest_beside * (std::int64_t{1} << doublings_);
    return now - open.heard > std::max(bounds_.least_beside, patience);
}

bool Silence::is_suspicious(Moment now) const {
    return std::any_of(open_.begin(), open_.end(), [&](const auto& one) {
        return now - one.second.heard > patience_with_closed_port() || is_passed_over(one.second, now);
    });
}

std::vector<Silence::Hopeless> Silence::hopeless(Moment now, bool port_refuses) {
    std::vector<Hopeless> found;
    bool beside = false;
    for (const auto& [id, open] : open_) {
        const bool unheard = port_refuses && now - open.heard > patience_with_closed_port();
        if (!unheard && !is_passed_over(open, now)) continue;
        beside = beside || !unheard;
        found.push_back({id, now - open.heard});
    }
    for (const Hopeless& one : found) open_.erase(one.id);
    if (beside && doublings_ < 20) ++doublings_;  // had they only been long answers, the next ones get more time
    return found;
}

}  // namespace evaljob::openai
