#include "operator/work_queue.hpp"

#include <algorithm>

namespace evaljob {
namespace {

constexpr int longest_back_off_seconds = 30;

}  // namespace

void WorkQueue::add(const std::string& key, Urgency urgency) {
    const auto [entry, fresh] = waiting_.try_emplace(key, urgency);
    const bool rises = !fresh && urgency == Urgency::GoesOn && entry->second == Urgency::Begins;
    if (rises) entry->second = urgency;
    if (working_.contains(key)) return;
    if (rises) std::erase(begins_, key);
    if (fresh || rises) (urgency == Urgency::GoesOn ? goes_on_ : begins_).push_back(key);
}

void WorkQueue::add_at(const std::string& key, UnixSeconds time) {
    forget_later(key);
    later_[key] = time;
    by_time_.emplace(time, key);
}

void WorkQueue::forget_later(const std::string& key) {
    const auto look = later_.find(key);
    if (look == later_.end()) return;
    by_time_.erase({look->second, key});
    later_.erase(look);
}

std::optional<std::string> WorkQueue::take(UnixSeconds now) {
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
        const std::string due = by_time_.begin()->second;
        forget_later(due);
        add(due);
    }
    std::deque<std::string>& from = goes_on_.empty() ? begins_ : goes_on_;
    if (from.empty()) return {};
    std::string key = std::move(from.front());
    from.pop_front();
    waiting_.erase(key);
    forget_later(key);
    working_.insert(key);
    return key;
}

void WorkQueue::done(const std::string& key) {
    failures_.erase(key);
    give_back(key);
}

int WorkQueue::fail(const std::string& key, UnixSeconds now, bool got_on) {
    ++retries_;
    int& failures = failures_[key];
    failures = got_on ? 1 : failures + 1;
    const int wait = std::min(longest_back_off_seconds, 1 << std::min(failures - 1, 5));
    add_at(key, now + wait);
    give_back(key);
    return wait;
}

/// What came meanwhile gets its turn now.
void WorkQueue::give_back(const std::string& key) {
    working_.erase(key);
    const auto came = waiting_.find(key);
    if (came != waiting_.end()) (came->second == Urgency::GoesOn ? goes_on_ : begins_).push_back(key);
}

std::optional<UnixSeconds> WorkQueue::next_time() const {
    if (by_time_.empty()) return {};
    return by_time_.begin()->first;
}

}  // namespace evaljob
