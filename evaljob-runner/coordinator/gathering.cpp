#include "evaljob-runner/coordinator/gathering.hpp"

#include "api/assert.hpp"

namespace evaljob {

void Gathering::join(SessionId session, const Join& join, Milliseconds now) {
    if (waiting_.empty()) since_ = now;
    waiting_[session] = join.address;
}

std::vector<std::pair<SessionId, Group>> Gathering::form(Milliseconds now) {
    if (waiting_.empty() || (waiting_.size() < everyone_ && now - since_ < window_)) return {};
    Group group;
    group.generation = ++generation_;
    for (const auto& [session, address] : waiting_) group.members.push_back(address);
    std::vector<std::pair<SessionId, Group>> formed;
    for (const auto& [session, address] : waiting_) {
        formed.emplace_back(session, group);
        ++group.self;
    }
    EVALJOB_ASSERT(group.self == group.members.size(), "every member has its place in the group");
    waiting_.clear();
    return formed;
}

}  // namespace evaljob
