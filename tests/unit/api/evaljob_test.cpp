#include "api/evaljob.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/enum_names.hpp"
#include "api/schema.hpp"
#include "invalid_objects.hpp"

namespace evaljob::test {
namespace {

/// The least that a person must write.
Json least() {
    return Json{{"apiVersion", "evaljob.dev/v1alpha1"},
                {"kind", "EvalJob"},
                {"metadata", {{"name", "least"}}},
                {"spec",
                 {{"eval",
                   {{"model", {{"format", "TorchScript"}, {"path", "m.pt"}}},
                    {"datasets", Json::array({Json{{"name", "d"},
                                                   {"format", "IDX"},
                                                   {"path", "images"},
                                                   {"labelsPath", "labels"},
                                                   {"task", {{"type", "Classification"}}}}})}}}}}};
}

EvalJob parsed(const Json& object) {
    auto job = parse_evaljob(object);
    EXPECT_TRUE(job.has_value()) << job.error().message;
    return job.value_or(EvalJob{});
}

/// Written and read again, as the spec of `object`, it is the same.
void expect_comes_back(Json object, const EvalJobSpec& spec) {
    object["spec"] = spec_to_json(spec);
    EXPECT_EQ(parsed(object).spec, spec);
}

TEST(EvalJobDefaults, AreThoseOfTheReference) {
    const EvalJobSpec spec = parsed(least()).spec;
    EXPECT_EQ(spec.num_nodes, 1);
    EXPECT_EQ(spec.num_proc_per_node, 1);
    EXPECT_EQ(spec.eval->inference, Inference{});
    EXPECT_EQ(spec.eval->datasets.at(0).limit, std::nullopt);
    EXPECT_EQ(spec.rendezvous, (Rendezvous{std::nullopt, 600}));
    EXPECT_EQ(spec.storage, (Storage{"", {}, Retention::Retain, Writers::Ranks, "least"}));
    EXPECT_EQ(spec.scheduling, Scheduling{});
    EXPECT_EQ(spec.merge, (Merge{3, false, 0}));
    EXPECT_EQ(spec.restart_policy, (RestartPolicy{3, RestartScope::Node}));
    EXPECT_EQ(spec.pod_template, Json::object());
}

TEST(EvalJobDefaults, OfTheTableAreThoseOfTheTypes) {
    // The CRD's defaults come from the table, ours from the types: they must be the same.
    const Json spec = spec_to_json(parsed(least()).spec);
    int compared = 0;
    for (const schema::Field& field : schema::spec_fields()) {
        if (field.fallback == nullptr || field.type == schema::Type::Object) continue;
        if (field.path.find("[]") != std::string::npos) continue;  // of items: there are none here
        std::string pointer = field.path.substr(std::string("spec").size());
        for (char& c : pointer) c = c == '.' ? '/' : c;
        EXPECT_EQ(spec.at(Json::json_pointer(pointer)), Json::parse(field.fallback)) << field.path;
        ++compared;
    }
    EXPECT_EQ(compared, 16);
}

TEST(EvalJobDefaults, NullIsAsAbsent) {
    Json object = least();
    for (const char* key : {"numNodes", "template", "rendezvous", "storage", "merge", "restartPolicy"}) {
        object["spec"][key] = nullptr;
    }
    EXPECT_EQ(parsed(object).spec, parsed(least()).spec);
}

TEST(EvalJobWithoutEval, IsARunnerOfOnesOwnAndWhatItHasToHaveEvaluated) {
    Json object = least();
    object["spec"].erase("eval");
    object["spec"]["template"]["spec"]["containers"] = Json::array({Json{{"name", "runner"}, {"image", "mine:1"}}});
    EXPECT_EQ(parsed(object).spec.merge.expect, std::nullopt);
    EXPECT_EQ(parsed(object).spec.restart_policy.scope, RestartScope::Group);
    const Json dataset{{"name", "d"}, {"format", "IDX"}, {"path", "i"}, {"labelsPath", "l"}, {"limit", 7}};
    const Json task{{"type", "Classification"}, {"classes", {"shirt", "bag"}}};
    object["spec"]["merge"]["expect"] = Json{{"dataset", dataset}, {"task", task}};
    const EvalJobSpec spec = parsed(object).spec;
    ASSERT_TRUE(spec.merge.expect.has_value());
    EXPECT_EQ(spec.merge.expect->limit, 7);
    EXPECT_THAT(spec.merge.expect->task.classes, testing::ElementsAre("shirt", "bag"));
    EXPECT_EQ(parse_expect(expect_to_json(*spec.merge.expect), "expect"), *spec.merge.expect);
    expect_comes_back(object, spec);
}

TEST(EvalJobValues, AreReadFromEveryField) {
    Json object = valid_object();
    Json& eval = object["spec"]["eval"];
    const std::string digest(64, 'a');
    eval["model"]["sha256"] = digest;
    eval["inference"] =
        Json{{"device", "CUDA"}, {"maxBatchSize", 7}, {"threadsPerRank", 3}, {"seed", -5}, {"schedule", "Static"}};
    eval["datasets"][0].update(Json{{"sha256", digest}, {"labelsSha256", digest}, {"limit", 5000000000}});
    object["spec"]["merge"] = Json{{"backoffLimit", 0}, {"allowPartial", true}, {"maxFailedSamples", 9}};
    object["spec"]["restartPolicy"]["scope"] = "Group";

    const EvalJobSpec spec = parsed(object).spec;
    EXPECT_EQ(spec.num_nodes, 4);
    EXPECT_EQ(spec.num_proc_per_node, 2);
    EXPECT_EQ(spec.world_size(), 8);
    EXPECT_EQ(spec.eval->model, (Model{ModelFormat::TorchScript, "model.pt", digest}));
    EXPECT_EQ(spec.eval->inference, (Inference{Device::CUDA, 7, 3, {}, -5, Schedule::Static}));
    EXPECT_EQ(spec.eval->datasets.at(0),
              (Dataset{"fashion", DatasetFormat::IDX, "images.gz", digest, "labels.gz", digest, 5000000000,
                       Task{TaskType::Classification, {"shirt", "bag"}}}));
    EXPECT_EQ(spec.rendezvous, (Rendezvous{29500, 600}));
    EXPECT_EQ(spec.storage, (Storage{"results", {}, Retention::Retain, Writers::Ranks, "out/job"}));
    EXPECT_EQ(spec.merge, (Merge{0, true, 9}));
    EXPECT_EQ(spec.restart_policy, (RestartPolicy{1, RestartScope::Group}));
    EXPECT_EQ(spec.pod_template, object["spec"]["template"]);
}

Json with_claim_and_gang() {
    Json object = valid_object();
    object["spec"]["storage"] = {{"claimTemplate",
                                  {{"metadata", {{"labels", {{"team", "vision"}}}}},
                                   {"spec",
                                    {{"accessModes", {"ReadWriteMany"}},
                                     {"resources", {{"requests", {{"storage", "1.5Ti"}}}}},
                                     {"storageClassName", ""},
                                     {"volumeMode", "Filesystem"},
                                     {"selector", Json::object()}}}}},
                                 {"retentionPolicy", "Delete"}};
    object["spec"]["scheduling"] = {
        {"gang", "Volcano"}, {"queueName", "gpus"}, {"topologyKey", "topology.kubernetes.io/zone"}};
    return object;
}

TEST(EvalJobValues, OfClaimAndGang) {
    const Json object = with_claim_and_gang();
    const EvalJobSpec spec = parsed(object).spec;
    EXPECT_EQ(spec.storage.claim_template, object["spec"]["storage"]["claimTemplate"]);
    EXPECT_EQ(spec.storage.retention, Retention::Delete);
    EXPECT_EQ(spec.scheduling, (Scheduling{Gang::Volcano, "gpus", "topology.kubernetes.io/zone"}));
}

TEST(EvalJobUpdate, AQueueAdmitsTheJobAsAWhole) {
    EvalJobSpec before = parsed(valid_object()).spec;
    EvalJobSpec after = before;
    after.num_nodes = 3;
    EXPECT_TRUE(check_update(before, after).has_value());
    before.scheduling.queue_name = after.scheduling.queue_name = "gpus";
    const auto refused = check_update(before, after);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message,
                testing::HasSubstr("spec.numNodes: cannot be changed with scheduling.queueName"));
}

TEST(EvalJobValues, SurviveTheWayThroughJson) {
    for (const Json& object : {least(), valid_object(), with_claim_and_gang()}) {
        const EvalJob job = parsed(object);
        Json again = object;
        again["spec"] = spec_to_json(job.spec);
        EXPECT_EQ(parsed(again).spec, job.spec);
        EXPECT_EQ(spec_to_json(parsed(again).spec), again["spec"]);

        const auto eval = parse_eval(eval_to_json(*job.spec.eval), "spec.eval");
        ASSERT_TRUE(eval.has_value()) << eval.error().message;
        EXPECT_EQ(*eval, *job.spec.eval);
    }
}

TEST(EvalJobValues, EvalAloneNamesItsPathInMessages) {
    const auto eval = parse_eval(Json{{"model", 3}}, "spec.eval");
    ASSERT_FALSE(eval.has_value());
    EXPECT_EQ(eval.error().message,
              "spec.eval.model: must be an object, is an integer (3)\nspec.eval.datasets: required");
}

TEST(EvalJobValues, MetadataIsKept) {
    Json object = least();
    object["metadata"] = Json{{"name", "least"},
                              {"namespace", "team"},
                              {"uid", "u-1"},
                              {"generation", 3},
                              {"resourceVersion", "17"},
                              {"creationTimestamp", "2026-01-01T00:00:00Z"},
                              {"deletionTimestamp", "2026-01-02T00:00:00Z"},
                              {"labels", {{"a", "b"}}},
                              {"annotations", {{"c", "d"}}},
                              {"managedFields", Json::array({Json::object()})}};
    EXPECT_EQ(parsed(object).meta,
              (ObjectMeta{"least", "team", "u-1", 3, "17", "2026-01-01T00:00:00Z", true, {{"a", "b"}}, {{"c", "d"}}}));
}

EvalJobStatus full_status() {
    EvalJobStatus status;
    status.observed_generation = 2;
    status.start_time = "2026-01-01T00:00:00Z";
    status.completion_time = "2026-01-01T00:10:00Z";
    status.identity = std::string(64, 'b');
    status.attempt = 1;
    status.restarts = 2;
    status.node_attempts = {{"0", 1}, {"3", 2}};
    status.summary = {"Running", "4/4", "73%", "0.913"};
    status.nodes = {4, 3, 1, 0};
    status.selector = "evaljob.dev/job=job";
    status.progress = Progress{73, 100, "12.5", 3, "5", "2026-01-01T00:01:00Z"};
    status.metrics = {{"fashion", "accuracy", "shirt", "0.9134", "0.0028", 1000},
                      {"fashion", "accuracy", "", "0.9", "", 9}};
    status.results = Results{"results", "out/job/results/sha256-b", "b", 100, 1, 2, 3, 4};
    status.conditions = {{"Running", true, "AllReady", "4 of 4", "2026-01-01T00:00:01Z", 2},
                         {"Failed", false, "", "", "2026-01-01T00:00:01Z", 0}};
    return status;
}

TEST(EvalJobStatusValues, SurviveTheWayThroughJson) {
    Json object = least();
    object["status"] = status_to_json(full_status());
    EXPECT_EQ(parsed(object).status, full_status());
    object["status"] = status_to_json(EvalJobStatus{});
    EXPECT_EQ(parsed(object).status, EvalJobStatus{});
}

TEST(EvalJobStatusValues, AreReadLeniently) {
    Json object = least();
    object["status"] = Json{{"summary", 3}, {"conditions", {{"type", 1}}}, {"nodes", {{"ready", "x"}}}, {"new", 1}};
    EXPECT_EQ(parsed(object).status, EvalJobStatus{});
}

TEST(EvalJobSpecValues, OfAProgramOnTextsComeBackAsTheyWere) {
    Json object = least();
    object["spec"]["eval"] = Json::parse(R"({
        "model": {"format": "Command", "command": ["python3", "m.py"], "path": "programs"},
        "datasets": [{"name": "qa", "format": "JSONL", "path": "qa.jsonl",
                      "task": {"type": "Generation", "metrics": ["NormalizedExactMatch", "ExactMatch"], "groupBy": "kind",
                               "maxNewTokens": 64, "temperature": "0.7", "topP": "0.9", "stop": ["\n", "Q:"],
                               "scorer": {"command": ["judge", "-v"], "path": "judges", "scores": ["quality", "tone"],
                                          "timeoutSeconds": 7}}},
                     {"name": "more", "format": "JSONL", "path": "more.jsonl", "task": {"type": "Generation"}}],
        "repeats": 4,
        "inference": {"startupTimeoutSeconds": 30, "sampleTimeoutSeconds": 5}})");
    const EvalJobSpec spec = parsed(object).spec;
    ASSERT_TRUE(spec.eval);
    EXPECT_EQ(spec.eval->model.command, (std::vector<std::string>{"python3", "m.py"}));
    EXPECT_EQ(spec.eval->datasets[0].task, (Task{TaskType::Generation,
                                                 {},
                                                 {TaskMetric::NormalizedExactMatch, TaskMetric::ExactMatch},
                                                 "kind",
                                                 64,
                                                 "0.7",
                                                 "0.9",
                                                 {"\n", "Q:"},
                                                 "",
                                                 Scorer{{"judge", "-v"}, "judges", {"quality", "tone"}, 7}}));
    EXPECT_EQ(spec.eval->datasets[1].task.metrics, std::vector{TaskMetric::ExactMatch}) << "the default";
    EXPECT_EQ(spec.eval->repeats, 4);
    EXPECT_EQ(spec.eval->inference.sample_timeout_seconds, 5);
    expect_comes_back(object, spec);
    const Scorer& scorer = *spec.eval->datasets[0].task.scorer;
    EXPECT_EQ(parse_scorer(scorer_to_json(scorer), "here").value(), scorer);
    const auto refused = parse_scorer(Json::parse(R"({"command": ["judge"]})"), "here");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "here.scores: required");
}

TEST(EvalJobSpecValues, OfAServerComeBackAsTheyWere) {
    Json object = least();
    object["spec"]["eval"] = Json::parse(R"({
        "model": {"format": "OpenAI", "url": "http://localhost:8000/v1", "name": "org/m", "apiKeyVariable": "KEY",
                  "systemPrompt": "Be brief.", "parameters": {"temperature": 0.7, "stop": ["\n"]}},
        "datasets": [{"name": "qa", "format": "JSONL", "path": "qa.jsonl", "tokensBy": "tokens",
                      "task": {"type": "Generation", "prompt": "{question}?"}}],
        "inference": {"maxConcurrency": 4, "startupTimeoutSeconds": 30, "maxBatchTokens": 8192}})");
    const EvalJobSpec spec = parsed(object).spec;
    ASSERT_TRUE(spec.eval);
    EXPECT_EQ(spec.eval->model.url, "http://localhost:8000/v1");
    EXPECT_EQ(spec.eval->model.name, "org/m");
    EXPECT_EQ(spec.eval->model.api_key_variable, "KEY");
    EXPECT_EQ(spec.eval->model.system_prompt, "Be brief.");
    EXPECT_EQ(spec.eval->model.parameters.dump(), R"({"stop":["\n"],"temperature":0.7})");
    EXPECT_EQ(spec.eval->datasets[0].task.prompt, "{question}?");
    EXPECT_EQ(spec.eval->inference.max_concurrency, 4);
    EXPECT_EQ(spec.eval->inference.max_batch_tokens, 8192);
    EXPECT_EQ(spec.eval->datasets[0].tokens_by, "tokens");
    expect_comes_back(object, spec);
}

TEST(EvalJobSpecValues, OfPrecisionComeBackAsTheyWere) {
    Json object = valid_object();
    EXPECT_EQ(parsed(object).spec.eval->inference.precision, Precision::FP32);
    object["spec"]["eval"]["inference"]["precision"] = "BF16";
    const EvalJobSpec spec = parsed(object).spec;
    EXPECT_EQ(spec.eval->inference.precision, Precision::BF16);
    expect_comes_back(object, spec);
}

TEST(EvalJobSpecValues, OfGraphsComeBackAsTheyWere) {
    Json object = valid_object();
    EXPECT_EQ(parsed(object).spec.eval->inference.cuda_graphs, CudaGraphs::None);
    object["spec"]["eval"]["inference"].update({{"device", "CUDA"}, {"cudaGraphs", "Auto"}});
    const EvalJobSpec spec = parsed(object).spec;
    EXPECT_EQ(spec.eval->inference.cuda_graphs, CudaGraphs::Auto);
    expect_comes_back(object, spec);
}

TEST(EvalJobSpecValues, OfRefillingComeBackAsTheyWere) {
    Json object = valid_object();
    EXPECT_EQ(parsed(object).spec.eval->inference.refill_rows, std::nullopt);
    object["spec"]["eval"]["datasets"] =
        Json::parse(R"([{"name": "qa", "format": "JSONL", "path": "qa.jsonl", "task": {"type": "Generation"}}])");
    object["spec"]["eval"]["inference"]["refillRows"] = 8;
    const EvalJobSpec spec = parsed(object).spec;
    EXPECT_EQ(spec.eval->inference.refill_rows, 8);
    expect_comes_back(object, spec);
}

template <class E>
std::vector<std::string> names_of() {
    std::vector<std::string> names;
    for (const auto& [value, name] : EnumNames<E>::rows) names.emplace_back(name);
    return names;
}

std::vector<std::string> values_of(const std::string& path) {
    const schema::Node* node = schema::find(schema::spec_tree(), path);
    if (node == nullptr) return {"no such row"};
    return {node->field->values.begin(), node->field->values.end()};
}

TEST(Schema, SpellsEnumerationsAsTheTypesDo) {
    EXPECT_EQ(values_of("eval.model.format"), names_of<ModelFormat>());
    EXPECT_EQ(values_of("eval.datasets[].format"), names_of<DatasetFormat>());
    EXPECT_EQ(values_of("eval.datasets[].task.type"), names_of<TaskType>());
    EXPECT_EQ(values_of("eval.datasets[].task.metrics[]"), names_of<TaskMetric>());
    EXPECT_EQ(values_of("eval.inference.device"), names_of<Device>());
    EXPECT_EQ(values_of("eval.inference.schedule"), names_of<Schedule>());
    EXPECT_EQ(values_of("eval.inference.backend"), names_of<Backend>());
    EXPECT_EQ(values_of("eval.inference.precision"), names_of<Precision>());
    EXPECT_EQ(values_of("restartPolicy.scope"), names_of<RestartScope>());
    EXPECT_EQ(values_of("storage.retentionPolicy"), names_of<Retention>());
    EXPECT_EQ(values_of("scheduling.gang"), names_of<Gang>());
}

TEST(Schema, HasEveryRowInItsTree) {
    for (const schema::Field& field : schema::spec_fields()) {
        if (field.path == "spec") continue;
        const schema::Node* node = schema::find(schema::spec_tree(), field.path.substr(5));
        ASSERT_NE(node, nullptr) << field.path;
        EXPECT_EQ(node->field, &field) << field.path << " stands in the table twice";
    }
    for (const schema::Field& field : schema::status_fields()) {
        if (field.path == "status") continue;
        const schema::Node* node = schema::find(schema::status_tree(), field.path.substr(7));
        ASSERT_NE(node, nullptr) << field.path;
        EXPECT_EQ(node->field, &field) << field.path;
    }
}

/// Pointers of members that have no row.
void without_row(const schema::Node& node, const Json& value, const std::string& path,
                 std::vector<std::string>& found) {
    for (const auto& [key, member] : value.items()) {
        const bool list = value.is_array();
        const schema::Node* row = nullptr;
        if (list && !node.item.empty()) row = &node.item.front();
        for (const schema::Node& candidate : node.members) row = candidate.key == key ? &candidate : row;
        const std::string here = path + "." + (list ? "[]" : key);
        if (row == nullptr) {
            found.push_back(here);
        } else if (member.is_structured() && row->field->type != schema::Type::IntegerMap) {
            without_row(*row, member, here, found);
        }
    }
}

TEST(Schema, HasARowForEveryMemberThatIsWritten) {
    std::vector<std::string> found;
    without_row(schema::status_tree(), status_to_json(full_status()), "status", found);
    EvalJobSpec spec = parsed(valid_object()).spec;
    spec.eval->model.sha256 = spec.eval->datasets[0].sha256 = spec.eval->datasets[0].labels_sha256 = "x";
    spec.eval->datasets[0].limit = 1;
    Dataset texts;
    texts.task = {TaskType::Generation, {}, {TaskMetric::ExactMatch}, "kind", 16};
    spec.eval->datasets.push_back(texts);
    spec.eval->model.command = {"python3"};
    spec.eval->repeats = 2;
    spec.eval->inference.startup_timeout_seconds = spec.eval->inference.sample_timeout_seconds = 1;
    Json written = spec_to_json(spec);
    written.erase("template");
    without_row(schema::spec_tree(), written, "spec", found);
    EXPECT_THAT(found, testing::IsEmpty());
}

}  // namespace
}  // namespace evaljob::test
