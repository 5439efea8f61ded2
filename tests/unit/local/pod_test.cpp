// The kubelet's pure parts: environment, status, GPU division, messages, addresses, admission.
#include <gmock/gmock.h>

#include <fstream>

#include "api/base64.hpp"
#include "local/admission.hpp"
#include "local/gpu_division.hpp"
#include "local/pod_addresses.hpp"
#include "local/pod_environment.hpp"
#include "local/pod_status.hpp"
#include "local/termination_message.hpp"
#include "tests/unit/local/processes.hpp"

namespace evaljob::local {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;
using Step = ContainerState::Step;

// ---- GPUs

struct Division {
    const char* name;
    std::vector<std::string> visible;
    int nodes, procs;
    std::vector<std::string> shares;  // by node
    const char* why;
};
std::ostream& operator<<(std::ostream& out, const Division& row) { return out << row.name; }
class DivisionTest : public testing::TestWithParam<Division> {};

TEST_P(DivisionTest, GivesEachNodeItsOwn) {
    const auto& row = GetParam();
    for (int node = 0; node < row.nodes; ++node) {
        const auto share = divide_gpus(row.visible, node, row.nodes, row.procs);
        EXPECT_EQ(share.devices, row.shares[node]) << "node " << node;
        if (*row.why)
            EXPECT_THAT(share.why, HasSubstr(row.why));
        else
            EXPECT_EQ(share.why, "");
    }
}

const std::vector<std::string> four{"0", "1", "2", "3"};
INSTANTIATE_TEST_SUITE_P(
    Rows, DivisionTest,
    testing::Values(Division{"None", {}, 2, 1, {"", ""}, "no GPU is visible"},
                    Division{"OneEach", four, 4, 1, {"0", "1", "2", "3"}, ""},
                    Division{"TwoProcesses", four, 2, 2, {"0,1", "2,3"}, ""},
                    Division{"OneNodeHasAll", four, 1, 2, {"0,1,2,3"}, ""},
                    Division{"EqualShares", {"0", "1", "2", "3", "4"}, 2, 2, {"0,1", "2,3"}, ""},
                    Division{"Uuids", {"GPU-a", "GPU-b"}, 2, 1, {"GPU-a", "GPU-b"}, ""},
                    Division{"TooFew", four, 4, 3, {"", "", "", ""}, "4 visible GPUs are fewer than the job's 12"},
                    Division{"HalfIsNone", four, 3, 2, {"", "", ""}, "lower numNodes"}),
    [](const auto& row) { return row.param.name; });

TEST(Gpus, AreReadAsCudaReadsThem) {
    EXPECT_THAT(parse_devices("GPU-a, 1 ,2"), ElementsAre("GPU-a", "1", "2"));
    EXPECT_THAT(parse_devices(""), IsEmpty());
    EXPECT_THAT(parse_devices("-1"), IsEmpty());
    EXPECT_THAT(parse_devices("0,-1,1"), ElementsAre("0"));
    EXPECT_THAT(parse_devices("0,,1"), ElementsAre("0"));
}

TEST(Gpus, PretendedOnesComeFirst) {
    EXPECT_THAT(visible_gpus({{"CUDA_VISIBLE_DEVICES", "3"}}), ElementsAre("3"));
    EXPECT_THAT(visible_gpus({{"CUDA_VISIBLE_DEVICES", ""}}), IsEmpty());
    EXPECT_THAT(visible_gpus({{"EVALJOB_TEST_GPUS", "GPU-a,GPU-b"}, {"CUDA_VISIBLE_DEVICES", "3"}}),
                ElementsAre("GPU-a", "GPU-b"));
}

// ---- environment

const Json pod{{"metadata", {{"name", "j-0-0"}, {"namespace", "default"}, {"uid", "u"}}},
               {"spec", {{"hostname", "j-0"}}}};

PodSurroundings around() {
    return {"127.1.2.3",
            [](const std::string& name) -> std::optional<Json> {
                if (name != "s") return std::nullopt;
                return Json{{"data", {{"token", base64_encode("hello")}, {"bad", "???"}}}};
            },
            [](const std::string& text) -> std::optional<std::string> {
                if (text == "j-0.j.default.svc") return "127.1.2.9";
                return std::nullopt;
            }};
}

Json from(const char* kind, Json reference) { return {{"valueFrom", {{kind, std::move(reference)}}}}; }

Json variable(const std::string& name, Json rest) {
    rest["name"] = name;
    return rest;
}

TEST(PodEnvironment, IsResolved) {
    const Json container{
        {"name", "runner"},
        {"env",
         {variable("A", {{"value", "a"}}), variable("B", {{"value", "$(A)-$(LATER)-$$(A)"}}),
          variable("EMPTY", Json::object()), variable("TOKEN", from("secretKeyRef", {{"name", "s"}, {"key", "token"}})),
          variable("MAYBE", from("secretKeyRef", {{"name", "t"}, {"key", "token"}, {"optional", true}})),
          variable("IP", from("fieldRef", {{"fieldPath", "status.podIP"}})),
          variable("NAME", from("fieldRef", {{"fieldPath", "metadata.name"}})),
          variable("NS", from("fieldRef", {{"fieldPath", "metadata.namespace"}})),
          variable("UID", from("fieldRef", {{"fieldPath", "metadata.uid"}})),
          variable("MASTER_ADDR", {{"value", "j-0.j.default.svc"}}),
          variable("URL", {{"value", "http://$(MASTER_ADDR):1"}}), variable("LATER", {{"value", "l"}})}}};
    const auto environment = container_environment(pod, container, around());
    ASSERT_TRUE(environment) << environment.error().message;
    EXPECT_THAT(
        *environment,
        UnorderedElementsAre(Pair("A", "a"), Pair("B", "a-$(LATER)-$(A)"), Pair("EMPTY", ""), Pair("TOKEN", "hello"),
                             Pair("IP", "127.1.2.3"), Pair("NAME", "j-0-0"), Pair("NS", "default"), Pair("UID", "u"),
                             Pair("MASTER_ADDR", "127.1.2.9"), Pair("URL", "http://127.1.2.9:1"), Pair("LATER", "l")));
}

TEST(PodEnvironment, TheHostnameIsNoVariableOfThePod) {
    const Json container{{"name", "runner"}, {"env", {variable("A", {{"value", "$(HOSTNAME)"}})}}};
    EXPECT_THAT(container_environment(pod, container, around()).value(), ElementsAre(Pair("A", "$(HOSTNAME)")));
}

struct Unresolved {
    const char* name;
    Json container;
    bool retry;
    const char* message;
};
std::ostream& operator<<(std::ostream& out, const Unresolved& row) { return out << row.name; }
class UnresolvedTest : public testing::TestWithParam<Unresolved> {};
TEST_P(UnresolvedTest, NamesTheVariable) {
    const auto result = container_environment(pod, GetParam().container, around());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().retry, GetParam().retry);
    EXPECT_THAT(result.error().message, HasSubstr(GetParam().message));
}
Json with_env(Json rest) { return {{"name", "c"}, {"env", {variable("X", std::move(rest))}}}; }
INSTANTIATE_TEST_SUITE_P(
    Rows, UnresolvedTest,
    testing::Values(
        Unresolved{"NoSecret", with_env(from("secretKeyRef", {{"name", "t"}, {"key", "k"}})), true,
                   "env[X].valueFrom.secretKeyRef: secret \"t\" not found"},
        Unresolved{"NoKey", with_env(from("secretKeyRef", {{"name", "s"}, {"key", "k"}})), true, "no key \"k\""},
        Unresolved{"NoBase64", with_env(from("secretKeyRef", {{"name", "s"}, {"key", "bad"}})), false, "base64"},
        Unresolved{"Field", with_env(from("fieldRef", {{"fieldPath", "spec.nodeName"}})), false,
                   "'spec.nodeName' is not supported in local mode"},
        Unresolved{"ConfigMap", with_env(from("configMapKeyRef", {{"name", "m"}})), false,
                   "secretKeyRef and fieldRef alone"},
        Unresolved{"EnvFrom",
                   {{"name", "c"}, {"envFrom", {{{"secretRef", {{"name", "s"}}}}}}},
                   false,
                   "envFrom: not supported in local mode"}),
    [](const auto& row) { return row.param.name; });

TEST(PodEnvironment, ArgumentsAreExpanded) {
    const Json container{{"name", "c"}, {"command", {"run", "$(A)"}}, {"args", {"$(B)", "$(", "$"}}};
    EXPECT_THAT(container_argv(container, {{"A", "1"}}).value(), ElementsAre("run", "1", "$(B)", "$(", "$"));
    EXPECT_THAT(container_argv({{"name", "c"}, {"args", {"x"}}}, {}).error().message, HasSubstr("name the command"));
}

TEST(PodEnvironment, NothingOfTheContractLeaksIn) {
    const auto base =
        base_environment({{"RANK", "3"}, {"PET_NNODES", "2"}, {"EVALJOB_RUN_FOLDER", "/other"}, {"HOME", "/h"}});
    EXPECT_THAT(base, ElementsAre(Pair("HOME", "/h")));
}

// ---- status

ContainerState container(Step step, int code = 0, bool init = false) {
    ContainerState state;
    state.name = init ? "init" : "c";
    state.step = step;
    state.exit_code = code;
    state.init = init;
    return state;
}

struct Life {
    const char* name;
    std::vector<ContainerState> containers;
    bool ending;
    const char* phase;
    std::vector<std::size_t> startable;
};
std::ostream& operator<<(std::ostream& out, const Life& row) { return out << row.name; }
class LifeTest : public testing::TestWithParam<Life> {};
TEST_P(LifeTest, PhaseAndWhatStarts) {
    PodState state;
    state.containers = GetParam().containers;
    state.ending = GetParam().ending;
    EXPECT_EQ(phase_of(state), GetParam().phase);
    EXPECT_EQ(startable(state), GetParam().startable);
}
INSTANTIATE_TEST_SUITE_P(
    Rows, LifeTest,
    testing::Values(
        Life{"Begins", {container(Step::Waiting), container(Step::Waiting)}, false, "Pending", {0, 1}},
        Life{"Starting", {container(Step::Starting)}, false, "Pending", {}},
        Life{"Running", {container(Step::Running)}, false, "Running", {}},
        Life{"OneDone", {container(Step::Ended, 0), container(Step::Running)}, false, "Running", {}},
        Life{"AllDone", {container(Step::Ended, 0), container(Step::Ended, 0)}, false, "Succeeded", {}},
        Life{"OneFailedOneRuns", {container(Step::Ended, 1), container(Step::Running)}, false, "Running", {}},
        Life{"OneFailed", {container(Step::Ended, 1), container(Step::Ended, 0)}, false, "Failed", {}},
        Life{"InitFirst",
             {container(Step::Waiting, 0, true), container(Step::Waiting, 0, true), container(Step::Waiting)},
             false,
             "Pending",
             {0}},
        Life{"InitSecond",
             {container(Step::Ended, 0, true), container(Step::Waiting, 0, true), container(Step::Waiting)},
             false,
             "Pending",
             {1}},
        Life{"InitRuns", {container(Step::Running, 0, true), container(Step::Waiting)}, false, "Pending", {}},
        Life{"InitDone", {container(Step::Ended, 0, true), container(Step::Waiting)}, false, "Pending", {1}},
        Life{"InitFailed", {container(Step::Ended, 2, true), container(Step::Waiting)}, false, "Failed", {}},
        Life{"DeletedBeforeStart", {container(Step::Waiting)}, true, "Failed", {}},
        Life{"DeletedWhileRunning", {container(Step::Running)}, true, "Running", {}},
        Life{"DeletedButDone", {container(Step::Ended, 0)}, true, "Succeeded", {}}),
    [](const auto& row) { return row.param.name; });

TEST(PodStatus, SaysHowEachContainerStands) {
    const Json object{{"spec", {{"containers", {{{"name", "a"}, {"image", "i"}}, {{"name", "b"}}, {{"name", "c"}}}}}}};
    auto state = initial_state(object, "127.0.0.9");
    state.containers[0].step = Step::Running;
    state.containers[1].step = Step::Ended;
    state.containers[1].exit_code = 137;
    state.containers[1].signal = 9;
    state.containers[1].reason = "Error";
    state.containers[1].message = "last words";
    const auto status = pod_status(object, state, Json::object(), 0);
    EXPECT_EQ(status.at("podIP"), "127.0.0.9");
    const auto& all = status.at("containerStatuses");
    EXPECT_EQ(all[0].at("state").at("running").at("startedAt"), "1970-01-01T00:00:00Z");
    EXPECT_EQ(all[0].at("image"), "i");
    EXPECT_EQ(all[1].at("state").at("terminated").at("exitCode"), 137);
    EXPECT_EQ(all[1].at("state").at("terminated").at("signal"), 9);
    EXPECT_EQ(all[1].at("state").at("terminated").at("message"), "last words");
    EXPECT_EQ(all[2].at("state").at("waiting").at("reason"), "PodInitializing");
}

TEST(PodStatus, ReadyMeansAllRunAndKeepsItsTime) {
    const Json object{{"spec", {{"containers", {{{"name", "a"}}}}}}};
    auto state = initial_state(object, "");
    const auto ready = [](const Json& status) { return status.at("conditions").back(); };
    const auto first = pod_status(object, state, Json::object(), 0);
    EXPECT_EQ(ready(first).at("status"), "False");
    state.containers[0].step = Step::Running;
    const auto second = pod_status(object, state, first, 60);
    EXPECT_EQ(ready(second).at("status"), "True");
    EXPECT_EQ(ready(second).at("lastTransitionTime"), "1970-01-01T00:01:00Z");
    EXPECT_EQ(pod_status(object, state, second, 90), second) << "the same again is no change";
}

// ---- messages

TEST(TerminationMessage, IsTheLogElseTheEndOfTheOutput) {
    TemporaryFolder folder;
    const auto log = folder.path() / "log", file = folder.path() / "termination";
    std::ofstream(log) << "of an earlier container\none\ntwo\n";
    EXPECT_EQ(termination_message(file, true, log, 24), "one\ntwo\n");
    EXPECT_EQ(termination_message(file, false, log, 24), "");
    EXPECT_EQ(termination_message(file, true, log, 1000), "");
    std::ofstream(file) << std::string(5000, 'x');
    EXPECT_EQ(termination_message(file, true, log, 0), std::string(4096, 'x'));
    std::ofstream(file) << "bad \xff byte";
    EXPECT_EQ(termination_message(file, true, log, 0), "bad \xef\xbf\xbd byte");
}

TEST(TerminationMessage, LastLinesAreBounded) {
    std::string lines;
    for (int i = 0; i < 100; ++i) lines += std::to_string(i) + "\n";
    const auto last = last_lines(lines);
    EXPECT_TRUE(last.starts_with("20\n")) << last;
    EXPECT_EQ(last_lines("one\ntwo"), "one\ntwo");
    EXPECT_EQ(last_lines(std::string(3000, 'x')).size(), 2048u);
    EXPECT_EQ(last_lines(""), "");
}

// ---- addresses

TEST(PodAddresses, AreDistinctAndKept) {
    PodAddresses addresses(4242), others(4243);
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(addresses.address_of("h" + std::to_string(i)));
    EXPECT_EQ(seen.size(), 1000u);
    const auto first = addresses.address_of("h0");
    EXPECT_TRUE(seen.contains(first));
    EXPECT_TRUE(first.starts_with("127.")) << first;
    EXPECT_NE(first, others.address_of("h0"));
    EXPECT_EQ(addresses.address_of_fqdn("j-0.j.ns.svc"), addresses.address_of("j-0.j.ns.svc"));
    for (const auto* text : {"j-0.j.ns", "a.b.c.d", "j-0.j.ns.svc.x", "http://j-0.j.ns.svc", "", "..."})
        EXPECT_EQ(addresses.address_of_fqdn(text), std::nullopt) << text;
}

// ---- admission

struct BadPod {
    const char* name;
    const char* spec;
    const char* message;
};
std::ostream& operator<<(std::ostream& out, const BadPod& row) { return out << row.name; }
class BadPodTest : public testing::TestWithParam<BadPod> {};
TEST_P(BadPodTest, NamesTheField) {
    const auto result = admit_pod({{"spec", Json::parse(GetParam().spec)}}, nullptr);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    Rows, BadPodTest,
    testing::Values(BadPod{"NoSpec", "null", "spec: must be"}, BadPod{"NoContainers", "{}", "spec.containers: must be"},
                    BadPod{"NoName", R"({"containers":[{}]})", "spec.containers[0].name: must be"},
                    BadPod{"SameName", R"({"initContainers":[{"name":"a"}],"containers":[{"name":"a"}]})", "named a"},
                    BadPod{"PathInName", R"({"containers":[{"name":"../a"}]})", "spec.containers[0].name"},
                    BadPod{"Command", R"({"containers":[{"name":"a","command":"sh"}]})", "[0].command: must be a list"},
                    BadPod{"Args", R"({"containers":[{"name":"a","args":[1]}]})", "[0].args[0]: must be a string"},
                    BadPod{"Value", R"({"containers":[{"name":"a","env":[{"name":"A","value":1}]}]})",
                           "env[0].value: must be a string"},
                    BadPod{"Variable", R"({"containers":[{"name":"a","env":[{"name":"A=B"}]}]})", "env[0].name"},
                    BadPod{"Grace", R"({"terminationGracePeriodSeconds":-1,"containers":[{"name":"a"}]})",
                           "terminationGracePeriodSeconds"}),
    [](const auto& row) { return row.param.name; });

TEST(Admission, NullIsAbsent) {
    const auto admitted =
        admit_pod({{"spec", {{"hostname", nullptr}, {"containers", {{{"name", "a"}, {"env", nullptr}}}}}}}, nullptr);
    ASSERT_TRUE(admitted);
    EXPECT_EQ(admitted->at("spec"), (Json{{"containers", {{{"name", "a"}}}}}));
}

}  // namespace
}  // namespace evaljob::local
