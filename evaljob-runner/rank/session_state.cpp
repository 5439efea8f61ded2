#include "evaljob-runner/rank/session_state.hpp"

#include <utility>

#include "api/exit_code.hpp"

namespace evaljob {

Hello SessionState::greeting() const {
    Hello hello = hello_;
    for (const auto& [lease, batch] : held_) hello.held.push_back({lease, batch});
    return hello;
}

std::vector<Message> SessionState::take(const Message& message) {
    if (const auto* welcome = std::get_if<Welcome>(&message)) return take_welcome(*welcome);
    if (const auto* refused = std::get_if<Refused>(&message)) {
        end({refused->exit_code, refused->message});
    } else if (std::holds_alternative<Finished>(message)) {
        end({exit_code::success, ""});
    } else if (const auto* lease = std::get_if<Lease>(&message)) {
        queue_.push_back(*lease);
        held_[lease->number] = lease->batch;
    } else if (const auto* ack = std::get_if<Ack>(&message)) {
        unacknowledged_.erase(ack->lease);
    }
    return {};
}

std::vector<Message> SessionState::take_welcome(const Welcome& welcome) {
    if (welcome_ && welcome_->identity != welcome.identity)
        end({exit_code::identity, "the coordinator came back with another evaluation"});
    welcome_ = welcome;
    connected_ = true;
    std::vector<Message> say;
    for (const auto& [lease, done] : unacknowledged_) say.emplace_back(done);
    say.emplace_back(Want{end_ ? 0 : leases_});
    return say;
}

std::optional<Lease> SessionState::next_lease() {
    if (queue_.empty()) return std::nullopt;
    Lease lease = queue_.front();
    queue_.pop_front();
    return lease;
}

void SessionState::done(const Done& done) {
    held_.erase(done.lease);
    unacknowledged_[done.lease] = done;
}

std::vector<Message> SessionState::leave() {
    std::vector<Message> say;
    for (const Lease& lease : queue_) {
        say.emplace_back(Return{lease.number});
        held_.erase(lease.number);
    }
    queue_.clear();
    if (say.empty()) say.emplace_back(Want{0});
    end({exit_code::terminated, "stopped by a signal"});
    return say;
}

void SessionState::end(SessionEnd end) {
    if (!end_) end_ = std::move(end);
}

}  // namespace evaljob
