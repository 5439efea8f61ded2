#include "tests/simulation/runner/world.hpp"

#include <algorithm>

namespace evaljob::simulation {

namespace {

constexpr std::size_t deepest_stack = 3;

}  // namespace

void World::in(Time delay, const ProcessRef& owner, std::function<void()> action) {
    events_[{now_ + delay, next_event_++}] = {owner, std::move(action)};
}

bool World::on_stack(const ProcessRef& process) const {
    return std::find(stack_.begin(), stack_.end(), process) != stack_.end();
}

bool World::run_next() {
    // What is of a process in the middle of a system call waits where it stands, so that all of that process's events
    // keep their order.
    const auto next = std::find_if(events_.begin(), events_.end(), [this](const auto& event) {
        return !event.second.owner || !on_stack(event.second.owner);
    });
    if (next == events_.end()) return false;
    auto event = events_.extract(next);
    now_ = std::max(now_, event.key().first);
    const ProcessRef owner = event.mapped().owner;
    if (owner && owner->dead) return true;
    if (owner && owner->paused_until > now_) {
        // Under its old number, so that what is put off keeps its order.
        event.key().first = owner->paused_until;
        events_.insert(std::move(event));
        return true;
    }
    as(owner, event.mapped().action);
    return true;
}

void World::as(ProcessRef process, const std::function<void()>& action) {
    ++steps_;
    stack_.push_back(process);
    action();
    stack_.pop_back();
    if (!process) return;
    if (!process->dead) {
        as(nullptr, [&] { on_step_end(process); });
    } else {
        as(nullptr, [&] { on_death(process); });
    }
}

void World::kill(ProcessRef process) {
    if (process->dead) return;
    process->dead = true;
    if (!on_stack(process)) as(nullptr, [&] { on_death(process); });
}

void World::exit(ProcessRef process, int code) {
    if (process->dead) return;
    process->exit_code = code;
    kill(process);
}

bool World::dead() const { return !stack_.empty() && stack_.back() && stack_.back()->dead; }

Cut World::change(const std::string& call, const std::string& path) {
    const ProcessRef caller = stack_.empty() ? nullptr : stack_.back();
    if (!caller) return Cut::None;
    ++caller->changes;
    if (traced_) trace(caller->name + ": " + call + " " + path);
    if (stack_.size() < deepest_stack && random.chance(interleaving)) {
        on_fault("others act between two system calls");
        for (std::uint64_t i = 1 + random.below(6); i > 0 && run_next();) --i;
        if (caller->dead) return Cut::None;
    }
    if (!caller->cut_in || --*caller->cut_in > 0) return Cut::None;
    caller->cut_in.reset();
    return caller->cut;
}

void World::die() {
    const ProcessRef caller = stack_.back();
    if (traced_) trace(caller->name + (caller->cut_is_power ? ": the power is lost here" : ": is killed here"));
    caller->dead = true;
    if (caller->cut_name != nullptr) on_fault(caller->cut_name);
    if (caller->cut_is_power) on_power_loss();
}

void World::trace(const std::string& line) {
    if (traced_) trace_ += std::to_string(now_) + " " + line + "\n";
}

}  // namespace evaljob::simulation
