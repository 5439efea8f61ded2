#include "evaljob-runner/rank/session_state.hpp"

#include <algorithm>
#include <utility>

#include "api/assert.hpp"
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
        take_lease(*lease);
    } else if (const auto* group = std::get_if<Group>(&message)) {
        group_ = *group;
    } else if (const auto* ack = std::get_if<Ack>(&message)) {
        unacknowledged_.erase(ack->lease);
    }
    return {};
}

/// One that is known already is not computed again, whatever the coordinator says.
void SessionState::take_lease(const Lease& lease) {
    if (unacknowledged_.contains(lease.number) || !held_.try_emplace(lease.number, lease.batch).second) return;
    queue_.push_back(lease);
}

std::vector<Message> SessionState::take_welcome(const Welcome& welcome) {
    if (welcome_ && welcome_->identity != welcome.identity)
        end({exit_code::identity, "the coordinator came back with another evaluation"});
    welcome_ = welcome;
    connected_ = true;
    log_offset_ = 0;
    for (auto& [lease, waiting] : unacknowledged_) waiting.said = false;
    std::vector<Message> say = unsaid();
    say.emplace_back(Want{end_ ? 0 : leases_});
    return say;
}

std::vector<Message> SessionState::want(std::uint32_t leases) {
    if (leases_ == leases) return {};
    leases_ = leases;
    if (end_ || !connected_) return {};
    return {Want{leases_}};
}

LeaseCounts SessionState::lease_counts() const {
    EVALJOB_ASSERT(queue_.size() <= held_.size(), "what is not begun is held");
    return {queue_.size(), held_.size() - queue_.size() + unacknowledged_.size()};
}

std::optional<Lease> SessionState::next_lease() {
    if (queue_.empty()) return std::nullopt;
    Lease lease = queue_.front();
    EVALJOB_ASSERT(held_.contains(lease.number), "what is begun is held");
    queue_.pop_front();
    return lease;
}

void SessionState::done(Report report) {
    const LeaseNumber lease = report.done.lease;
    held_.erase(lease);
    EVALJOB_ASSERT(!unacknowledged_.contains(lease), "a lease is reported once");
    unacknowledged_[lease] = {std::move(report), false};
}

std::vector<Message> SessionState::unsaid() {
    std::vector<Message> say;
    if (!connected_) return say;
    for (auto& [lease, waiting] : unacknowledged_) {
        if (std::exchange(waiting.said, true)) continue;
        EVALJOB_ASSERT(waiting.report.log_bytes.empty() || !log_start_.empty(),
                       "a log that is sent begins with its header");
        if (!waiting.report.log_bytes.empty() && log_offset_ == 0) say_bytes(log_start_, say);
        say_bytes(waiting.report.log_bytes, say);
        say.emplace_back(waiting.report.done);
    }
    return say;
}

void SessionState::say_bytes(std::string_view bytes, std::vector<Message>& say) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), max_append))) {
        const std::string_view part = bytes.substr(0, max_append);
        say.emplace_back(Append{log_offset_, std::string(part)});
        log_offset_ += part.size();
    }
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
