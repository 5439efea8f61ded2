#include "local/pod_status.hpp"

#include <algorithm>

#include "local/metav1.hpp"

namespace evaljob::local {
namespace {

using Step = ContainerState::Step;

Json state_json(const ContainerState& container) {
    switch (container.step) {
        case Step::Running:
            return {{"running", {{"startedAt", rfc3339(container.started_at)}}}};
        case Step::Ended: {
            Json ended{{"exitCode", container.exit_code},
                       {"reason", container.reason},
                       {"finishedAt", rfc3339(container.finished_at)}};
            ended["startedAt"] = container.started_at ? Json(rfc3339(container.started_at)) : Json();
            if (container.signal) ended["signal"] = container.signal;
            if (!container.message.empty()) ended["message"] = container.message;
            return {{"terminated", ended}};
        }
        default:
            break;
    }
    Json waiting{{"reason", container.reason.empty() ? "PodInitializing" : container.reason}};
    if (!container.message.empty()) waiting["message"] = container.message;
    return {{"waiting", waiting}};
}

Json container_status(const Json& pod, const ContainerState& container) {
    Json status{{"name", container.name},
                {"restartCount", 0},
                {"image", ""},
                {"imageID", ""},
                {"state", state_json(container)}};
    for (const auto& spec : pod.at("spec").value(container.init ? "initContainers" : "containers", Json::array())) {
        if (spec.value("name", "") == container.name) status["image"] = spec.value("image", "");
    }
    status["ready"] = container.init ? container.succeeded() : container.step == Step::Running;
    status["started"] = container.step == Step::Running;
    return status;
}

void set_condition(Json& conditions, const Json& old, const char* type, bool holds, std::int64_t now) {
    Json condition{{"type", type}, {"status", holds ? "True" : "False"}, {"lastTransitionTime", rfc3339(now)}};
    for (const auto& before : old.value("conditions", Json::array())) {
        if (before.at("type") == type && before.at("status") == condition.at("status"))
            condition["lastTransitionTime"] = before.at("lastTransitionTime");
    }
    conditions.push_back(condition);
}

template <class Test>
bool all_of(const PodState& state, bool init, const Test& test) {
    return std::all_of(state.containers.begin(), state.containers.end(),
                       [&](const ContainerState& container) { return container.init != init || test(container); });
}

bool initialized(const PodState& state) {
    return all_of(state, true, [](const ContainerState& container) { return container.succeeded(); });
}

bool ready(const PodState& state) {
    return initialized(state) &&
           all_of(state, false, [](const ContainerState& container) { return container.step == Step::Running; });
}

bool init_failed(const PodState& state) {
    return !all_of(state, true, [](const ContainerState& c) { return c.step != Step::Ended || c.exit_code == 0; });
}

}  // namespace

PodState initial_state(const Json& pod, const std::string& ip) {
    PodState state;
    state.ip = ip;
    for (const auto* list : {"initContainers", "containers"}) {
        for (const auto& container : pod.at("spec").value(list, Json::array())) {
            ContainerState waiting;
            waiting.name = container.value("name", "");
            waiting.init = std::string_view(list) == "initContainers";
            state.containers.push_back(waiting);
        }
    }
    return state;
}

std::vector<std::size_t> startable(const PodState& state) {
    std::vector<std::size_t> now;
    if (state.ending || !state.refused.empty()) return now;
    for (std::size_t i = 0; i < state.containers.size(); ++i) {
        const auto& container = state.containers[i];
        if (container.init) {
            if (container.succeeded()) continue;
            if (container.step == Step::Waiting) now.push_back(i);
            return now;  // the next one waits for this one
        }
        if (container.step == Step::Waiting) now.push_back(i);
    }
    return now;
}

bool is_alive(const PodState& state) {
    return std::any_of(state.containers.begin(), state.containers.end(),
                       [](const ContainerState& container) { return container.alive(); });
}

std::string phase_of(const PodState& state) {
    if (!state.refused.empty()) return "Failed";
    const auto ended = [](const ContainerState& container) { return container.step == Step::Ended; };
    const auto succeeded = [](const ContainerState& container) { return container.succeeded(); };
    if (init_failed(state)) return "Failed";
    if (initialized(state) && all_of(state, false, succeeded)) return "Succeeded";
    if (initialized(state) && all_of(state, false, ended)) return "Failed";
    if (state.ending && !is_alive(state)) return "Failed";
    const bool any_begun = !all_of(state, false, [](const ContainerState& container) {
        return container.step == Step::Waiting || container.step == Step::Starting;
    });
    return any_begun ? "Running" : "Pending";
}

Json pod_status(const Json& pod, const PodState& state, const Json& old, std::int64_t now) {
    Json status{{"phase", phase_of(state)}, {"podIP", state.ip}, {"hostIP", "127.0.0.1"}};
    status["podIPs"] = {{{"ip", state.ip}}};
    status["startTime"] = old.contains("startTime") ? old.at("startTime") : Json(rfc3339(now));
    if (!state.refused.empty()) {
        status["reason"] = state.refused_reason;
        status["message"] = state.refused;
    }
    for (const auto& container : state.containers)
        status[container.init ? "initContainerStatuses" : "containerStatuses"].push_back(
            container_status(pod, container));
    Json conditions = Json::array();
    set_condition(conditions, old, "PodScheduled", true, now);
    set_condition(conditions, old, "Initialized", initialized(state), now);
    set_condition(conditions, old, "ContainersReady", ready(state), now);
    set_condition(conditions, old, "Ready", ready(state), now);
    status["conditions"] = conditions;
    return status;
}

}  // namespace evaljob::local
