// The planner: what an EvalJob wants, what is observed, and the time → what to do, what to say, and when to look again.
// Pure. A plan is a value, so tests assert whole sequences of plans; status is recomputed from what is observed.
//
//   1. A job that is being deleted, or someone else's (managedBy), gets nothing. One that has reached its end gets
//      nothing new: its live Pods are deleted, and itself when its time to live has passed.
//   2. A child's name that someone else holds fails the job; children of an older job of the same name are waited out.
//   3. While it is suspended its Pods are ended and none is made.
//   4. Until every node is done: each node has one Pod; a dead one gets its next attempt (or all do), within the
//      budget and the deadlines.
//   5. Then one merge Job, and what it proved is the result.
//
// Status is written before the actions that it tells of, against the version that was planned from. So a decision is
// taken once, however often it is planned, and nothing is ended or made on behalf of an EvalJob that has changed since.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "api/evaljob.hpp"
#include "api/progress_report.hpp"

namespace evaljob {

/// Seconds since the Unix epoch, UTC: everything that the planner knows of time.
using UnixSeconds = std::int64_t;

/// What the plan reads of a container, and no more.
struct ContainerView {
    std::string name;
    bool init = false;  // of the init containers, native sidecars among them
    bool running = false;
    bool terminated = false;
    int exit_code = 0;
    std::string reason;           // of waiting or terminated: "ErrImagePull", "OOMKilled", "Error"
    std::string waiting_message;  // the kubelet's, of what keeps it from running
    std::string termination_message;
    UnixSeconds finished_at = 0;  // of terminated; 0: unknown
};

struct PodConditionView {
    std::string type;
    std::string status;
};

struct PodView {
    std::string name;
    std::string uid;
    std::string owner_uid;   // of the controlling owner
    std::string owner_kind;  // of the controlling owner: "EvalJob", "Job", …; empty: none
    std::int32_t node = -1;  // label node-rank; -1 on merge Pods
    std::int32_t attempt = 0;
    bool merge = false;
    std::string phase;   // Pending, Running, Succeeded, Failed, Unknown
    std::string reason;  // Evicted, NodeLost, …
    std::string message;
    std::string ip;
    std::optional<bool> scheduled;  // on a machine; false: the scheduler's words are reason and message; else not said
    bool ready = false;
    bool deleting = false;
    std::int64_t grace_seconds = 0;  // of its deletion; 0: it is not being deleted, or without grace
    UnixSeconds leaving_since = 0;   // when the operator first saw it being deleted, by its own clock; 0: not known
    std::vector<ContainerView> containers;
    std::vector<PodConditionView> conditions;  // without those that every Pod has
};

struct ChildView {
    std::string name;
    std::string uid;
    std::string owner_uid;
    bool deleting = false;
    std::string owner_kind;
};

struct MergeJobView {
    ChildView child;
    bool complete = false;
    bool failed = false;
    std::string message;          // of the Failed condition
    UnixSeconds finished_at = 0;  // when complete or failed was said; 0: unknown
};

/// A PersistentVolumeClaim as it was read.
struct ClaimView {
    bool found = false;
    bool deleting = false;
    std::string owner_uid;   // of the controlling owner
    std::string owner_kind;  // of the controlling owner; empty: none
    std::string job;         // our label
    std::vector<std::string> access_modes;
};

/// What the API server said against a child when a plan was applied: what no list by label can show.
struct Obstacle {
    std::string kind;  // "Pod", "Service", "Job", …
    std::string name;
    /// NameTaken; Invalid: the object itself was refused (422); Forbidden: a Pod, for now (403: a quota, a policy).
    std::string reason;
    std::string message;  // for a person
};

struct Observed {
    EvalJob job;
    std::vector<PodView> pods;  // all that carry the job's label, whoever owns them
    std::optional<ChildView> service;
    std::optional<MergeJobView> merge_job;
    std::optional<ProgressReport> progress;  // what node 0's runner said last
    std::vector<Obstacle> obstacles;
    std::set<std::string> absent;               // names of Pods that a live read has not found
    std::optional<ClaimView> claim;             // read when a plan asks for it
    std::optional<std::set<std::string>> apis;  // of gang.hpp, that are served; read when a plan asks for them
    std::optional<std::string> run_secret;      // the name of the one that was made when a plan asked for it
    bool lesser_waits = false;                  // a lesser change of status (status.hpp) may still wait for more
};

/// The same for every job; set when the operator starts.
struct Settings {
    std::string runner_image = "evaljob-runner:latest";
    std::string storage_mount_path = "/evaljob";  // where the claim is mounted; local mode: the EvalJob file's folder
    bool in_cluster = true;  // false in local mode: the machine's own paths, no scheduler, nobody else's machines
    std::set<std::string> allowed;  // what templates may use, by names of pod_security.hpp
    std::int32_t default_rendezvous_port = 29500;
};

struct CreateService {
    Json object;
};
/// A claim made from claimTemplate.
struct CreateClaim {
    Json object;
};
/// What holds a gang together: a PodGroup or a Workload, of the API that the object names.
struct CreateGang {
    std::string plural;
    Json object;
};
struct CreatePod {
    Json object;
};
struct CreateMergeJob {
    Json object;
};
struct DeletePod {
    std::string name;
    std::string uid;
    int grace_seconds = -1;
};

/// For a merge Job that completed but whose Pod, and so its report, is gone (the next one proves and says the same);
/// for one whose Pod is on a lost node, which the Job would wait for; for that of a suspended job.
struct DeleteMergeJob {
    std::string name;
    std::string uid;
};

/// Its time to live has passed.
struct DeleteJob {
    std::string name;
    std::string uid;
};

using Action = std::variant<CreateService, CreateClaim, CreateGang, CreatePod, CreateMergeJob, DeletePod,
                            DeleteMergeJob, DeleteJob>;

struct Event {
    bool warning = false;
    std::string reason;  // "NodesCreated", "NodeRestarted", "Succeeded", …
    std::string note;
    bool operator==(const Event&) const = default;
};

/// Applied in this order: one status patch if `status` differs from what is observed, then the actions, then the
/// events. The first failure ends it; the job is looked at again. Where there are actions but nothing to patch, the
/// EvalJob is read first, and nothing is done when it is not the one that was planned for.
struct Plan {
    /// Pods that are known to have been made and that no store shows. A store can be older than the API server, so they
    /// are read live, and the plan is made again with what was found; the rest of this one is not applied.
    std::vector<std::string> confirm;
    bool read_claim = false;  // to be read and planned again, the same way
    bool read_apis = false;
    /// The run's Secret is to be made, with a token drawn at random, and planned again with its name, which status then
    /// keeps: no Pod is made with another. Whoever dies in between leaves one that goes with the EvalJob.
    bool make_run_secret = false;
    std::vector<Action> actions;
    EvalJobStatus status;
    std::vector<Event> events;
    std::optional<std::chrono::seconds> look_again;

    bool asks() const { return !confirm.empty() || read_claim || read_apis || make_run_secret; }
};

std::int32_t rendezvous_port(const EvalJob& job, const Settings& settings);
std::int32_t http_port(const EvalJob& job, const Settings& settings);  // of /progress

Plan make_plan(const Observed& observed, const Settings& settings, UnixSeconds now);

/// The Pod of one node as it would be created; `evaljob explain` prints it.
Json node_pod(const EvalJob& job, const Settings& settings, std::int32_t node, std::int32_t attempt);
Json headless_service(const EvalJob& job, const Settings& settings = {});
Json merge_job(const EvalJob& job, const Settings& settings);
/// With this token, 64 hexadecimal digits. Its name ends in a digest of its content.
Json run_secret(const EvalJob& job, const std::string& token);

}  // namespace evaljob
