// The planner: what an EvalJob wants, what is observed, and the time → what to do, what to say, and when to look again.
// Pure. A plan is a value, so tests assert whole sequences of plans; status is recomputed from what is observed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/evaljob.hpp"

namespace evaljob {

/// Seconds since the Unix epoch, UTC: everything that the planner knows of time.
using UnixSeconds = std::int64_t;

/// What the plan reads of a container, and no more.
struct ContainerView {
    std::string name;
    bool running = false;
    bool terminated = false;
    int exit_code = 0;
    std::string reason;               // of waiting or terminated: "ErrImagePull", "OOMKilled", "Error"
    std::string termination_message;
};

struct PodView {
    std::string name;
    std::string uid;
    std::string owner_uid;    // of the controlling owner
    std::int32_t node = -1;   // label node-rank; -1 on merge Pods
    std::int32_t attempt = 0;
    bool merge = false;
    std::string phase;        // Pending, Running, Succeeded, Failed, Unknown
    std::string reason;       // Evicted, NodeLost, …
    std::string message;
    std::string ip;
    bool ready = false;
    bool deleting = false;
    std::vector<ContainerView> containers;
};

struct ChildView {
    std::string name;
    std::string uid;
    std::string owner_uid;
    bool deleting = false;
};

struct MergeJobView {
    ChildView child;
    bool complete = false;
    bool failed = false;
    std::string message;  // of the Failed condition
};

/// What node 0's runner said last, and when.
struct ProgressReport {
    std::int64_t samples_done = 0;
    std::int64_t samples_total = 0;
    double samples_per_second = 0;
    double eta_seconds = 0;
    std::string slowest_rank;
    bool rendezvous_ready = false;  // every rank of the contract has registered
    UnixSeconds time = 0;
};

struct Observed {
    EvalJob job;
    std::vector<PodView> pods;  // all that carry the job's label, whoever owns them
    std::optional<ChildView> service;
    std::optional<MergeJobView> merge_job;
    std::optional<ProgressReport> progress;
};

/// The same for every job; set when the operator starts.
struct Settings {
    std::string runner_image = "evaljob-runner:latest";
    std::string storage_mount_path = "/evaljob";  // where the claim is mounted; local mode: the EvalJob file's folder
    bool needs_claim = true;                      // false in local mode: paths are the machine's own
    std::int32_t default_rendezvous_port = 29500; // the HTTP port of a node is the next one
};

struct CreateService { Json object; };
/// A Secret that holds the run's token. Whoever applies the plan fills in 32 random bytes; that it exists already is fine.
struct CreateToken { Json object; };
struct CreatePod { Json object; };
struct CreateMergeJob { Json object; };
struct DeletePod { std::string name; std::string uid; int grace_seconds = -1; };

using Action = std::variant<CreateService, CreateToken, CreatePod, CreateMergeJob, DeletePod>;

struct Event {
    bool warning = false;
    std::string reason;  // "PodsCreated", "NodeRestarted", "MergeStarted", "Succeeded", …
    std::string note;
    bool operator==(const Event&) const = default;
};

/// Applied in this order: actions, then one status patch if `status` differs from what is observed, then the events.
/// The first failure ends it; the job is looked at again.
struct Plan {
    std::vector<Action> actions;
    EvalJobStatus status;
    std::vector<Event> events;
    std::optional<std::chrono::seconds> look_again;
};

Plan make_plan(const Observed& observed, const Settings& settings, UnixSeconds now);

/// The Pod of one node as it would be created; `evaljob explain` prints it.
Json node_pod(const EvalJob& job, const Settings& settings, std::int32_t node, std::int32_t attempt);
Json headless_service(const EvalJob& job);
Json merge_job(const EvalJob& job, const Settings& settings);

}  // namespace evaljob
