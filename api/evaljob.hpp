// The EvalJob resource, evaljob.dev/v1alpha1, as values. A member here is a field that works today; fields of the
// design that are not built yet are refused by parse_evaljob with "not supported yet".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob {

inline constexpr const char* api_group = "evaljob.dev";
inline constexpr const char* api_version = "evaljob.dev/v1alpha1";
inline constexpr const char* kind = "EvalJob";
inline constexpr const char* operator_name = "evaljob.dev/operator";  // of spec.managedBy

enum class ModelFormat { TorchScript, AOTInductor, Command, OpenAI };
enum class DatasetFormat { IDX, JSONL, TSV };
enum class TaskType { Classification, Generation, MultipleChoice };
enum class TaskMetric { ExactMatch, NormalizedExactMatch, VQAAccuracy, F1, ROUGEL, Accuracy, NormalizedAccuracy };
enum class Device { Auto, CPU, CUDA };
enum class Schedule { Dynamic, Static };
enum class Backend { Auto, NCCL, Gloo, None };
enum class Precision { FP32, BF16, FP16 };
enum class CudaGraphs { None, Auto };
enum class TokenLimit { Auto, MaxTokens, MaxCompletionTokens };
enum class SendSeed { Auto, Always, Never };
enum class ContentFilter { Fail, Answer };
enum class Proxy { None, Environment };
enum class BackupLeases { Auto, Always, Never };
enum class Targets { Auto, Text };
enum class RestartScope { Node, Group };
enum class RestartAction { Restart, RestartIgnoreLimit, Fail };
enum class Retention { Retain, Delete };
enum class Writers { Ranks, Node0 };
enum class Gang { None, Auto, Native, Volcano, Coscheduling };

/// A header of each request to a server. Either `value` or `variable` is set.
struct Header {
    std::string name;
    std::string value;
    std::string variable;  // of the rank's environment, that holds the value

    bool operator==(const Header&) const = default;
};

struct Model {
    ModelFormat format = ModelFormat::TorchScript;
    std::string path;                           // a file: relative to the storage root
    std::string sha256;                         // of that file: hex, lower case; empty: not checked
    std::vector<std::string> command;           // Command: the program and its arguments
    std::string url;                            // OpenAI: "http://localhost:8000/v1"
    std::string name;                           // OpenAI: as the server calls the model
    std::string api_key_variable;               // OpenAI: the variable of the rank that holds the key; empty: no key
    std::string system_prompt;                  // OpenAI; empty: none
    Json parameters = Json::object();           // OpenAI: further members of each request
    std::vector<Header> headers;                // OpenAI: further headers of each request
    std::map<std::string, std::string> query;   // OpenAI: of each request's URL
    TokenLimit token_limit = TokenLimit::Auto;  // OpenAI: what the server calls the limit of an answer
    SendSeed send_seed = SendSeed::Auto;        // OpenAI
    ContentFilter content_filter = ContentFilter::Fail;  // OpenAI: what a filtered answer counts as
    Proxy proxy = Proxy::None;                           // OpenAI

    bool operator==(const Model&) const = default;
};

/// A program that scores predictions when they are merged.
struct Scorer {
    std::vector<std::string> command;
    std::string path;                             // the folder that it starts in; empty: the storage root
    std::vector<std::string> scores;              // the names of what it gives for each sample
    std::optional<std::int32_t> timeout_seconds;  // absent: default_timeout_seconds

    bool operator==(const Scorer&) const = default;
};

struct Task {
    TaskType type = TaskType::Classification;
    // Classification: name of class i at index i; empty: the classes are called by their number
    std::vector<std::string> classes;
    std::vector<TaskMetric> metrics;  // Generation: at least one; the first is the score
    std::string group_by;             // Generation: the samples' member that names their group; empty: none
    // Generation, handed to the engine:
    std::optional<std::int32_t> max_new_tokens;
    std::string temperature;            // a decimal number; empty: the likeliest token, or a program's own default
    std::string top_p;                  // a decimal number; empty: 1
    std::vector<std::string> stop;      // each ends a text, and is no part of it
    std::string prompt;                 // OpenAI: a text with {members} of the sample; empty: the sample's own
    std::optional<Scorer> scorer;       // Generation
    std::vector<std::int32_t> pass_at;  // Generation: pass@k of each k is computed; at most Eval::repeats
    Targets targets = Targets::Auto;  // Generation, TSV: Auto: a cell that is a list of quoted texts is several targets

    bool operator==(const Task&) const = default;
};

struct Dataset {
    std::string name;
    DatasetFormat format = DatasetFormat::IDX;
    std::string path;         // IDX: the images, gzip or plain; JSONL, TSV: the lines
    std::string sha256;       // hex of the file as it lies there; empty: not checked
    std::string labels_path;  // IDX: the labels
    std::string labels_sha256;
    std::optional<std::int64_t> limit;  // the first so many samples
    Task task;
    std::string tokens_by;  // JSONL, TSV: the samples' member that says how many tokens they have; empty: estimated

    bool operator==(const Dataset&) const = default;
};

inline constexpr std::int32_t default_timeout_seconds = 600;
inline constexpr std::int32_t default_max_concurrency = 32;

struct Inference {
    Device device = Device::Auto;
    std::int32_t max_batch_size = 32;              // samples
    std::int32_t threads_per_rank = 1;             // intra-op threads
    std::optional<std::int32_t> devices_per_rank;  // Command; absent: 1
    std::int64_t seed = 0;
    Schedule schedule = Schedule::Dynamic;
    Backend backend = Backend::Auto;                      // of collective operations between nodes
    CudaGraphs cuda_graphs = CudaGraphs::None;            // TorchScript, AOTInductor; of classifiers
    std::optional<std::int32_t> startup_timeout_seconds;  // Command, OpenAI; absent: default_timeout_seconds
    std::optional<std::int32_t> sample_timeout_seconds;   // Command, OpenAI; absent: default_timeout_seconds
    std::optional<std::int32_t> max_concurrency;          // OpenAI; absent: default_max_concurrency
    BackupLeases backup_leases = BackupLeases::Auto;      // Auto: not with OpenAI
    Precision precision = Precision::FP32;                // TorchScript
    std::optional<std::int32_t> max_batch_tokens;         // its size times its longest; absent: in the samples' order
    std::optional<std::int32_t> refill_rows;              // TorchScript: texts at a time; absent: the whole batch

    bool operator==(const Inference&) const = default;
};

struct Eval {
    Model model;
    std::vector<Dataset> datasets;
    std::int32_t repeats = 1;  // of each sample
    Inference inference;
    bool retry_failed = false;  // samples that failed in an earlier run are tried again, within the merge's bounds too

    bool operator==(const Eval&) const = default;
};

struct Rendezvous {
    std::optional<std::int32_t> port;  // absent: the operator's default (29500 in a cluster, a free one in local mode)
    std::int32_t ready_timeout_seconds = 600;

    bool operator==(const Rendezvous&) const = default;
};

struct Storage {
    std::string claim_name;                   // a PersistentVolumeClaim that is there
    std::optional<Json> claim_template;       // metadata and spec of one to be made, as the user wrote them
    Retention retention = Retention::Retain;  // of a claim made from claim_template
    Writers writers = Writers::Ranks;         // Node0: the volume is node 0's alone, ranks send it their records
    std::string path;  // folder of this job's output, relative to the storage root; default: the job's name

    bool operator==(const Storage&) const = default;
};

struct Merge {
    std::int32_t backoff_limit = 3;
    bool allow_partial = false;
    std::int64_t max_failed_samples = 0;
    std::optional<Dataset> expect;  // without eval alone: what an image of one's own has to have evaluated

    bool operator==(const Merge&) const = default;
};

/// Which exit codes of the container `runner` a rule is for.
struct ExitCodeMatch {
    bool in = true;  // false: every code but these (and never 0)
    std::vector<std::int32_t> values;

    bool operator==(const ExitCodeMatch&) const = default;
};

struct PodConditionMatch {
    std::string type;
    std::string status = "True";

    bool operator==(const PodConditionMatch&) const = default;
};

/// Either on_exit_codes or on_pod_conditions is set. A rule for conditions matches when one of them does.
struct RestartRule {
    RestartAction action = RestartAction::Restart;
    std::optional<ExitCodeMatch> on_exit_codes;
    std::vector<PodConditionMatch> on_pod_conditions;

    bool operator==(const RestartRule&) const = default;
};

struct RestartPolicy {
    std::int32_t max_restarts = 3;
    RestartScope scope = RestartScope::Node;  // default: Node with eval, Group without
    std::vector<RestartRule> rules;           // the first that matches decides

    bool operator==(const RestartPolicy&) const = default;
};

/// Of the nodes' Pods. With a queue_name and another gang than Volcano, the queue is Kueue's.
struct Scheduling {
    Gang gang = Gang::None;
    std::string queue_name;
    std::string topology_key;  // label of machines: all Pods go where it has one value

    bool operator==(const Scheduling&) const = default;
};

struct EvalJobSpec {
    std::int32_t num_nodes = 1;
    std::int32_t min_nodes = 1;  // default: 1 with eval, num_nodes without
    std::int32_t num_proc_per_node = 1;
    std::optional<Eval> eval;
    Json pod_template = Json::object();  // PodTemplateSpec, as the user wrote it
    Rendezvous rendezvous;
    Storage storage;
    Merge merge;
    RestartPolicy restart_policy;
    std::optional<std::int32_t> startup_deadline_seconds;
    std::optional<std::int32_t> progress_deadline_seconds;
    std::optional<std::int32_t> active_deadline_seconds;
    std::optional<std::int32_t> ttl_seconds_after_finished;
    bool suspend = false;
    std::string managed_by;  // empty or operator_name: this operator
    Scheduling scheduling;

    std::int32_t world_size() const { return num_nodes * num_proc_per_node; }

    bool operator==(const EvalJobSpec&) const = default;
};

/// One condition of status, as metav1.Condition. Types in use: Suspended, Scheduled, Running, RendezvousReady, Stalled,
/// Merged, Succeeded, Failed.
struct Condition {
    std::string type;
    bool status = false;
    std::string reason;
    std::string message;
    std::string last_transition_time;  // RFC 3339, UTC, whole seconds
    std::int64_t observed_generation = 0;

    bool operator==(const Condition&) const = default;
};

struct Summary {
    std::string status;    // Pending, Suspended, Starting, Running, Restarting, Merging, Succeeded, Failed
    std::string nodes;     // "4/4": ready or succeeded of all
    std::string progress;  // "73%", empty while unknown
    std::string score;     // "0.913", empty until merged

    bool operator==(const Summary&) const = default;
};

struct NodeCounts {
    std::int32_t total = 0;
    std::int32_t ready = 0;
    std::int32_t succeeded = 0;
    std::int32_t failed = 0;

    bool operator==(const NodeCounts&) const = default;
};

struct Progress {
    std::int64_t samples_done = 0;
    std::int64_t samples_total = 0;
    std::string samples_per_second;  // decimal
    std::int64_t eta_seconds = 0;
    std::string slowest_rank;
    std::string last_report_time;  // RFC 3339
    std::string waiting_for;       // what the ranks wait for, while they do

    bool operator==(const Progress&) const = default;
};

struct Metric {
    std::string dataset;
    std::string name;   // "accuracy"
    std::string group;  // empty: all samples of the dataset
    std::string value;  // decimal
    std::string stderr_;
    std::int64_t samples = 0;

    bool operator==(const Metric&) const = default;
};

/// Of the answers, and of the samples that failed for want of one, those that a person wants to know of.
struct AnswerCounts {
    std::int64_t empty = 0;      // answers without text
    std::int64_t truncated = 0;  // answers that a limit of tokens ended
    std::int64_t filtered = 0;   // by a content filter
    std::int64_t refused = 0;    // samples that the server refused to answer

    bool operator==(const AnswerCounts&) const = default;
};

struct Results {
    std::string claim_name;
    std::string path;    // folder of the published output, relative to the storage root
    std::string sha256;  // digest that names the folder
    std::int64_t samples = 0;
    std::optional<std::int64_t> missing = 0;  // absent: CompletenessUnknown, as nothing says how many there should be
    std::int64_t repeated = 0;
    std::int64_t conflicting = 0;
    std::int64_t failed = 0;
    AnswerCounts answers;

    bool operator==(const Results&) const = default;
};

struct EvalJobStatus {
    std::int64_t observed_generation = 0;
    std::string start_time;  // RFC 3339; empty: not yet
    std::string completion_time;
    std::string starting_since;  // RFC 3339; while the job is being started: what startupDeadlineSeconds counts from
    std::string identity;        // of the evaluation, as node 0 reported it, and the merge proved it
    std::string run_secret;      // the name of the Secret with the run's token and spec; empty: not made yet
    std::int32_t attempt = 0;    // the highest of any node; scope Group: of all
    std::int32_t restarts = 0;   // of nodes or groups, against restartPolicy.maxRestarts
    std::map<std::string, std::int32_t> node_attempts;  // node rank → highest attempt ever seen
    std::map<std::string, std::int32_t> next_attempts;  // node rank → decided, and not seen yet
    std::string gang;  // the API that the Pods' gang was made with, or "None"; empty: not decided
    Summary summary;
    NodeCounts nodes;
    std::string selector;  // of the Pods, for the scale subresource
    std::optional<Progress> progress;
    std::vector<Metric> metrics;
    std::optional<Results> results;
    std::vector<Condition> conditions;

    bool operator==(const EvalJobStatus&) const = default;
};

struct ObjectMeta {
    std::string name;
    std::string ns;  // namespace
    std::string uid;
    std::int64_t generation = 0;
    std::string resource_version;
    std::string creation_timestamp;
    bool deleting = false;  // deletionTimestamp is set
    std::map<std::string, std::string> labels;
    std::map<std::string, std::string> annotations;

    bool operator==(const ObjectMeta&) const = default;
};

struct EvalJob {
    ObjectMeta meta;
    EvalJobSpec spec;
    EvalJobStatus status;
};

/// Reads an EvalJob object (as the API server or a file holds it), fills in the defaults and checks every rule.
/// The Error's message holds one line per violation: "spec.numNodes: must be at least 1, is 0". Unknown fields are
/// violations that name the nearest known one; status is read leniently, because only the operator writes it.
Result<EvalJob> parse_evaljob(const Json& object);

/// Whether `after` may take the place of `before` in the API server; one line per violation, as parse_evaljob.
Result<void> check_update(const EvalJobSpec& before, const EvalJobSpec& after);

/// The parts as the API holds them; parse_evaljob(to_json(x)) gives x again.
Json spec_to_json(const EvalJobSpec& spec);
Json status_to_json(const EvalJobStatus& status);
Json eval_to_json(const Eval& eval);
Json expect_to_json(const Dataset& expect);
Json scorer_to_json(const Scorer& scorer);

/// spec.eval alone, as the runner gets it in its environment; `path` is the field's name in messages.
Result<Eval> parse_eval(const Json& object, const std::string& path);

/// spec.merge.expect alone, as the merge gets it: {"dataset": {…}, "task": {…}}.
Result<Dataset> parse_expect(const Json& object, const std::string& path);

/// A task's scorer alone, as the merge gets it.
Result<Scorer> parse_scorer(const Json& object, const std::string& path);

}  // namespace evaljob
