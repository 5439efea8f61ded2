// Virtual time, processes and their deaths: one thread, events in order. A process that is inside a system call may be
// overtaken by others there, and may die there; a dead process's calls have no effect.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/random.hpp"
#include "tests/simulation/runner/simulated_disk.hpp"

namespace evaljob::simulation {

using Time = std::int64_t;  // milliseconds

struct Process {
    explicit Process(std::string process_name) : name(std::move(process_name)) {}
    virtual ~Process() = default;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    const std::string name;
    bool dead = false;
    std::optional<int> exit_code;  // none: it was killed
    Time paused_until = 0;
    Time clock_offset = 0;           // of its clocks
    std::uint64_t changes = 0;       // that it asked the disk for
    std::optional<unsigned> cut_in;  // so many changes from now it dies
    Cut cut = Cut::Before;
    bool cut_is_power = false;       // and everyone with it
    const char* cut_name = nullptr;  // the fault's
};
using ProcessRef = std::shared_ptr<Process>;

class World : public DiskCaller {
public:
    World(std::uint64_t seed, bool traced) : random(seed), traced_(traced) {}

    Random random;
    double interleaving = 0;  // chance that others act in front of a change
    std::function<void(const char*)> on_fault;
    std::function<void(const ProcessRef&)> on_death;     // once it runs no more
    std::function<void(const ProcessRef&)> on_step_end;  // of a process that lives
    std::function<void()> on_power_loss;

    Time now() const override { return now_; }
    /// The owner's death cancels the action; none: it is the world's own.
    void in(Time delay, const ProcessRef& owner, std::function<void()> action);
    /// The next event; false when there is none.
    bool run_next();
    void forget_events() { events_.clear(); }
    /// The action as this process's (null: as nobody's).
    void as(ProcessRef process, const std::function<void()>& action);

    void kill(ProcessRef process);
    void exit(ProcessRef process, int code);

    void trace(const std::string& line);
    bool traced() const { return traced_; }
    const std::string& trace_lines() const { return trace_; }
    std::uint64_t steps() const { return steps_; }

    // DiskCaller: the process on top of the stack.
    bool dead() const override;
    Cut change(const std::string& call, const std::string& path) override;
    void die() override;
    void fault(const char* name) override { on_fault(name); }

private:
    struct Event {
        ProcessRef owner;
        std::function<void()> action;
    };
    bool on_stack(const ProcessRef& process) const;

    Time now_ = 0;
    std::uint64_t next_event_ = 0;
    std::uint64_t steps_ = 0;
    std::map<std::pair<Time, std::uint64_t>, Event> events_;
    std::vector<ProcessRef> stack_;
    bool traced_;
    std::string trace_;
};

}  // namespace evaljob::simulation
