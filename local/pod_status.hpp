// A Pod's life as its kubelet knows it: which containers may start, and the status that follows from them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/json.hpp"

namespace evaljob::local {

struct ContainerState {
    enum class Step { Waiting, Starting, Running, Ended };

    std::string name;
    bool init = false;
    Step step = Step::Waiting;
    std::string reason;  // of waiting or of the end
    std::string message;
    int pid = 0;
    int exit_code = 0;  // 128 + signal when a signal ended it
    int signal = 0;
    std::int64_t started_at = 0;  // Unix seconds
    std::int64_t finished_at = 0;

    bool alive() const { return step == Step::Starting || step == Step::Running; }
    bool succeeded() const { return step == Step::Ended && exit_code == 0; }
};

struct PodState {
    std::string ip;
    std::vector<ContainerState> containers;  // init containers first, in order
    bool ending = false;                     // deleted or stopped: nothing is started any more
    std::string refused;                     // why it is not run at all, for a person
    std::string refused_reason;              // the same, for programs
};

PodState initial_state(const Json& pod, const std::string& ip);

/// Indices of the containers to start now: init containers one after the other, then all others together.
std::vector<std::size_t> startable(const PodState& state);

bool is_alive(const PodState& state);

/// Pending, Running, Succeeded or Failed.
std::string phase_of(const PodState& state);

/// The whole status; `old` lends the transition times of conditions that stay as they were.
Json pod_status(const Json& pod, const PodState& state, const Json& old, std::int64_t now);

}  // namespace evaljob::local
