#include "local/process_kubelet.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <boost/asio/ip/tcp.hpp>

#include "api/run_spec.hpp"
#include "tests/unit/local/api_client.hpp"
#include "tests/unit/local/processes.hpp"

namespace evaljob::local {
namespace {

using testing::HasSubstr;

Json shell(const std::string& script, const std::string& name = "runner") {
    return {{"name", name}, {"command", {"sh", "-c", script}}};
}

Json one_container(const std::string& pod, Json container, Json more = Json::object()) {
    Json object{{"metadata", {{"name", pod}}},
                {"spec", {{"restartPolicy", "Never"}, {"containers", Json::array({std::move(container)})}}}};
    object["spec"].merge_patch(more);
    return object;
}

Json variable(const std::string& name, const std::string& value) { return {{"name", name}, {"value", value}}; }

class ProcessKubeletTest : public testing::Test {
protected:
    KubeletOptions options() {
        KubeletOptions options;
        options.state_dir = folder.path() / "state";
        options.working_dir = folder.path();
        options.environment = {{"PATH", ::getenv("PATH")}, {"RANK", "stray"}, {"HOME", "/home"}};
        options.address_seed = static_cast<std::uint32_t>(::getpid());
        options.gpus = {"GPU-a", "GPU-b"};
        options.clock = [] { return std::int64_t{0}; };
        options.on_lost = [this](const std::string& why) { lost = why; };
        return options;
    }
    void SetUp() override {
        kubelet = std::make_unique<ProcessKubelet>(io, api, options());
        const auto started = kubelet->start();
        ASSERT_TRUE(started) << started.error().message;
    }

    void create(const Json& pod) {
        const auto reply = client.post(pods_path, pod);
        ASSERT_EQ(reply.status, 201) << reply.message();
    }
    Json get(const std::string& pod) { return client.get(pods_path + "/" + pod).body; }
    bool is_gone(const std::string& pod) { return client.get(pods_path + "/" + pod).status == 404; }
    std::string phase(const std::string& pod) { return get(pod).value(Json::json_pointer("/status/phase"), ""); }
    bool until(const std::function<bool()>& is_so) { return run_until(io, is_so); }
    bool ended(const std::string& pod) {
        return until([&] { return phase(pod) == "Succeeded" || phase(pod) == "Failed"; });
    }
    bool running(const std::string& pod) {
        return until([&] { return phase(pod) == "Running"; });
    }
    Json terminated(const std::string& pod, int index = 0) {
        return get(pod).at("status").at("containerStatuses")[index].at("state").at("terminated");
    }
    std::string log(const std::string& pod) { return read_file(kubelet->log_path(pod)); }

    TemporaryFolder folder;
    boost::asio::io_context io;
    MemoryApi api{MemoryApiOptions{}};
    ApiClient client{api};
    std::optional<std::string> lost;
    std::unique_ptr<ProcessKubelet> kubelet;
};

TEST_F(ProcessKubeletTest, RunsAPodToItsEnd) {
    create(one_container("p", shell("pwd; echo home=$HOME rank=$RANK; echo done > $EVALJOB_TERMINATION_LOG")));
    ASSERT_TRUE(ended("p"));
    EXPECT_EQ(phase("p"), "Succeeded");
    EXPECT_EQ(log("p"), folder.path().string() + "\nhome=/home rank=\n") << "a stray RANK does not leak in";
    EXPECT_EQ(terminated("p").at("exitCode"), 0);
    EXPECT_EQ(terminated("p").at("reason"), "Completed");
    EXPECT_EQ(terminated("p").at("message"), "done\n");
}

TEST_F(ProcessKubeletTest, TellsHowAContainerEnded) {
    create(one_container("code", shell("exit 13")));
    create(one_container("killed", shell("kill -9 $$$$")));
    auto last_words = shell("echo last words; exit 1");
    last_words["terminationMessagePolicy"] = "FallbackToLogsOnError";
    create(one_container("words", last_words));
    create(one_container("absent", {{"name", "runner"}, {"command", {"no-such-program"}}}));
    create(one_container("image", {{"name", "runner"}, {"image", "busybox"}}));
    for (const auto* pod : {"code", "killed", "words", "absent", "image"}) {
        ASSERT_TRUE(ended(pod)) << pod;
        EXPECT_EQ(phase(pod), "Failed") << pod;
    }
    EXPECT_EQ(terminated("code").at("exitCode"), 13);
    EXPECT_EQ(terminated("code").at("reason"), "Error");
    EXPECT_EQ(terminated("killed").at("exitCode"), 137);
    EXPECT_EQ(terminated("killed").at("signal"), 9);
    EXPECT_EQ(terminated("words").at("message"), "last words\n");
    EXPECT_EQ(terminated("absent").at("reason"), "StartError");
    EXPECT_EQ(terminated("absent").at("message"), "cannot run 'no-such-program': No such file or directory");
    EXPECT_THAT(terminated("image").at("message").get<std::string>(), HasSubstr("name the command"));
}

TEST_F(ProcessKubeletTest, InitContainersComeFirstAndInOrder) {
    Json more{{"initContainers", {shell("echo one", "first"), shell("echo two", "second")}}};
    create(one_container("p", shell("echo three"), more));
    ASSERT_TRUE(ended("p"));
    EXPECT_EQ(log("p"), "one\ntwo\nthree\n");
    more["initContainers"][0] = shell("exit 4", "first");
    create(one_container("q", shell("echo three"), more));
    ASSERT_TRUE(ended("q"));
    EXPECT_EQ(phase("q"), "Failed");
    EXPECT_EQ(log("q"), "");
    EXPECT_EQ(get("q").at("status").at("initContainerStatuses")[0].at("state").at("terminated").at("exitCode"), 4);
}

TEST_F(ProcessKubeletTest, HostsHaveAddressesThatStay) {
    const auto host = [](const std::string& name) { return Json{{"hostname", name}, {"subdomain", "j"}}; };
    auto runner = shell("echo $MASTER_ADDR $OTHER");
    runner["env"] = {variable("MASTER_ADDR", "j-0.j.default.svc"), variable("OTHER", "x-0.x.default.svc")};
    create(one_container("j-0-0", runner, host("j-0")));
    create(one_container("j-1-0", runner, host("j-1")));
    ASSERT_TRUE(ended("j-0-0") && ended("j-1-0"));
    const auto address = [&](const std::string& pod) { return get(pod).at("status").at("podIP").get<std::string>(); };
    EXPECT_EQ(address("j-0-0"), kubelet->address_of("j-0.j.default.svc"));
    EXPECT_NE(address("j-0-0"), address("j-1-0"));
    EXPECT_EQ(log("j-1-0"), address("j-0-0") + " x-0.x.default.svc\n") << "hosts of this job alone";
    create(one_container("j-0-1", runner, host("j-0")));
    ASSERT_TRUE(ended("j-0-1"));
    EXPECT_EQ(address("j-0-1"), address("j-0-0"));
}

TEST_F(ProcessKubeletTest, ASecretThatComesLateIsWaitedFor) {
    auto runner = shell("echo $TOKEN");
    runner["env"] = {{{"name", "TOKEN"}, {"valueFrom", {{"secretKeyRef", {{"name", "s"}, {"key", "token"}}}}}}};
    create(one_container("p", runner));
    ASSERT_TRUE(until([&] {
        return get("p").value(Json::json_pointer("/status/containerStatuses/0/state/waiting/reason"), "") ==
               "CreateContainerConfigError";
    }));
    EXPECT_EQ(phase("p"), "Pending");
    client.post(secrets_path, named("s", {{"stringData", {{"token", "hello"}}}}));
    ASSERT_TRUE(ended("p"));
    EXPECT_EQ(log("p"), "hello\n");
}

/// A Pod that mounts the run's Secret as the operator has it mounted.
Json with_run_secret(Json container, const Json& items = nullptr) {
    container["volumeMounts"] = {{{"name", run_spec::volume}, {"mountPath", run_spec::mount_path}}};
    Json pod = one_container("p", std::move(container));
    Json secret = {{"secretName", "s"}};
    if (!items.is_null()) secret["items"] = items;
    pod["spec"]["volumes"] = {{{"name", run_spec::volume}, {"secret", secret}}};
    return pod;
}

TEST_F(ProcessKubeletTest, MountsTheRunsSecretAsFilesForItsUserAlone) {
    create(with_run_secret(shell("cd $EVALJOB_RUN_FOLDER && stat -c '%a %n' . * && cat token spec")));
    ASSERT_TRUE(until([&] {
        return get("p").value(Json::json_pointer("/status/containerStatuses/0/state/waiting/message"), "") ==
               "volume evaljob-run: secret \"s\" not found";
    }));
    client.post(secrets_path, named("s", {{"stringData", {{"token", "hello\n"}, {"spec", "$$x $(HOME)\n"}}}}));
    ASSERT_TRUE(ended("p"));
    EXPECT_EQ(log("p"), "700 .\n400 spec\n400 token\nhello\n$$x $(HOME)\n");
    EXPECT_TRUE(std::filesystem::is_empty(kubelet->log_path("p").parent_path().parent_path() / "pods"))
        << "they are gone with the container";
}

TEST_F(ProcessKubeletTest, MountsOfTheRunsSecretWhatIsNamed) {
    client.post(secrets_path, named("s", {{"stringData", {{"token", "hello"}, {"spec", "{}"}}}}));
    create(with_run_secret(shell("ls $EVALJOB_RUN_FOLDER"), {{{"key", "spec"}, {"path", "spec"}}}));
    ASSERT_TRUE(ended("p"));
    EXPECT_EQ(log("p"), "spec\n");
}

TEST_F(ProcessKubeletTest, DividesTheGpusAmongTheNodes) {
    const auto node = [&](const std::string& pod, const std::string& rank, bool own_choice = false) {
        auto runner = shell("echo \"[$CUDA_VISIBLE_DEVICES]\"");
        runner["env"] = {variable("NNODES", "2"), variable("NODE_RANK", rank), variable("LOCAL_WORLD_SIZE", "1")};
        if (own_choice) runner["env"].push_back(variable("CUDA_VISIBLE_DEVICES", "7"));
        create(one_container(pod, runner));
    };
    node("n0", "0");
    node("n1", "1");
    node("n2", "0", true);
    create(one_container("merge", shell("echo \"[$CUDA_VISIBLE_DEVICES]\"")));
    ASSERT_TRUE(ended("n0") && ended("n1") && ended("n2") && ended("merge"));
    EXPECT_EQ(log("n0"), "[GPU-a]\n");
    EXPECT_EQ(log("n1"), "[GPU-b]\n");
    EXPECT_EQ(log("n2"), "[7]\n") << "what the template says holds";
    EXPECT_EQ(log("merge"), "[]\n");
}

TEST_F(ProcessKubeletTest, ARunningPodIsReadyAndTellsItsPid) {
    const auto mark = unique_sleep();
    create(one_container("p", shell("exec sleep " + mark)));
    ASSERT_TRUE(running("p"));
    EXPECT_EQ(get("p").at("status").at("conditions").back(),
              (Json{{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", "1970-01-01T00:00:00Z"}}));
    ASSERT_TRUE(until([&] { return sleepers(mark).size() == 1; }));
    const auto pid = get("p").at("metadata").at("annotations").at(pid_annotation).get<std::string>();
    EXPECT_EQ(pid, std::to_string(sleepers(mark)[0]));
    ::kill(std::stoi(pid), SIGKILL);
    ASSERT_TRUE(ended("p"));
    EXPECT_EQ(terminated("p").at("exitCode"), 137);
    EXPECT_FALSE(get("p").at("metadata").at("annotations").contains(pid_annotation));
}

TEST_F(ProcessKubeletTest, ADeletedPodMayFinishWithinItsGracePeriod) {
    create(one_container("p", shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done")));
    ASSERT_TRUE(until([&] { return log("p") == "ready\n"; }));
    Watch watch(api, pods_path);
    client.remove(pods_path + "/p");
    ASSERT_TRUE(until([&] { return is_gone("p"); }));
    EXPECT_EQ(log("p"), "ready\nbye\n");
    const auto events = watch.read();
    const auto& last = events.at(events.size() - 2).at("object");
    EXPECT_EQ(last.at("status").at("phase"), "Failed") << "its end is told before it goes";
    EXPECT_EQ(last.at("status").at("containerStatuses")[0].at("state").at("terminated").at("exitCode"), 3);
}

TEST_F(ProcessKubeletTest, ADeletedPodThatStaysIsKilled) {
    const auto mark = unique_sleep();
    create(one_container("p", shell("trap '' TERM; echo ready; sleep " + mark + "; sleep " + mark)));
    ASSERT_TRUE(until([&] { return log("p") == "ready\n"; }));
    client.remove(pods_path + "/p", {{"gracePeriodSeconds", 600}});
    client.remove(pods_path + "/p", {{"gracePeriodSeconds", 1}});
    ASSERT_TRUE(until([&] { return is_gone("p"); }));
    EXPECT_TRUE(sleepers(mark).empty());
}

TEST_F(ProcessKubeletTest, AForceDeletedPodIsKilledAtOnce) {
    const auto mark = unique_sleep();
    create(one_container("p", shell("trap '' TERM; sleep " + mark + "; sleep " + mark)));
    ASSERT_TRUE(until([&] { return sleepers(mark).size() == 1; }));
    client.remove(pods_path + "/p", {{"gracePeriodSeconds", 0}});
    EXPECT_TRUE(is_gone("p"));
    EXPECT_TRUE(until([&] { return sleepers(mark).empty(); }));
}

TEST_F(ProcessKubeletTest, RefusesWhatItCannotRun) {
    auto pod = one_container("policy", shell("true"));
    pod["spec"]["restartPolicy"] = "OnFailure";
    create(pod);
    auto sidecar = shell("true", "server");
    sidecar["restartPolicy"] = "Always";
    create(one_container("sidecar", shell("true"), {{"initContainers", {sidecar}}}));
    ASSERT_TRUE(ended("policy") && ended("sidecar"));
    EXPECT_EQ(phase("policy"), "Failed");
    EXPECT_THAT(get("policy").at("status").at("message").get<std::string>(),
                HasSubstr("spec.restartPolicy: OnFailure is not supported yet"));
    EXPECT_THAT(get("sidecar").at("status").at("message").get<std::string>(), HasSubstr("sidecar containers are not"));
    EXPECT_EQ(client.post(pods_path, named("bad", {{"spec", {{"containers", "x"}}}})).status, 422);
}

TEST_F(ProcessKubeletTest, StopsAllAndStartsNoMore) {
    const auto mark = unique_sleep();
    create(one_container("polite", shell("trap 'exit 143' TERM; echo ready; while :; do sleep 0.01; done")));
    create(one_container("deaf", shell("trap '' TERM; echo ready; sleep " + mark + "; sleep " + mark)));
    ASSERT_TRUE(until([&] { return log("polite") == "ready\n" && log("deaf") == "ready\n"; }));
    bool done = false;
    kubelet->async_stop(std::chrono::seconds(600), [&] { done = true; });
    create(one_container("late", shell("echo no")));
    ASSERT_TRUE(ended("polite"));
    EXPECT_FALSE(done) << "one still runs";
    kubelet->async_stop(std::chrono::seconds(0), [&] { done = true; });
    ASSERT_TRUE(until([&] { return done; }));
    EXPECT_TRUE(sleepers(mark).empty());
    EXPECT_EQ(terminated("polite").at("exitCode"), 143);
    EXPECT_EQ(terminated("deaf").at("exitCode"), 137);
    EXPECT_EQ(log("late"), "");
}

TEST_F(ProcessKubeletTest, ALostGuardianFailsThePods) {
    const auto mark = unique_sleep();
    create(one_container("p", shell("ps -o ppid= -p $PPID; exec sleep " + mark)));
    ASSERT_TRUE(until([&] { return sleepers(mark).size() == 1; }));
    ::kill(std::stoi(log("p")), SIGKILL);  // the keeper's parent
    ASSERT_TRUE(until([&] { return lost.has_value(); }));
    EXPECT_EQ(phase("p"), "Failed");
    EXPECT_EQ(terminated("p").at("exitCode"), 137);
    EXPECT_THAT(terminated("p").at("message").get<std::string>(), HasSubstr("runtime has ended"));
    EXPECT_TRUE(sleepers(mark).empty());
    create(one_container("next", shell("true")));
    ASSERT_TRUE(ended("next"));
    EXPECT_EQ(get("next").at("status").at("reason"), "RuntimeLost");
}

TEST(FreePort, HasAFreeNeighbour) {
    boost::asio::io_context io;
    using boost::asio::ip::tcp;
    const auto address = PodAddresses(static_cast<std::uint32_t>(::getpid()) + 77).address_of("h");
    const auto first = free_port(address);
    ASSERT_TRUE(first) << first.error().message;
    tcp::acceptor neighbour(io, {boost::asio::ip::make_address(address), static_cast<std::uint16_t>(*first + 1)});
    const auto second = free_port(address);
    ASSERT_TRUE(second);
    EXPECT_NE(*second, *first) << "its neighbour is taken";
    EXPECT_FALSE(free_port("nowhere"));
}

TEST(FreePort, EverywhereMeansThatNoAddressHoldsIt) {
    boost::asio::io_context io;
    using boost::asio::ip::tcp;
    const auto seed = static_cast<std::uint32_t>(::getpid()) + 77;
    const auto address = boost::asio::ip::make_address(PodAddresses(seed).address_of("h"));
    const auto first = free_port_everywhere(seed);
    ASSERT_TRUE(first) << first.error().message;
    tcp::acceptor someone(io, {address, *first});
    const auto second = free_port_everywhere(seed);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_NE(*second, *first) << "torchrun listens on all addresses, and would fail";
}

}  // namespace
}  // namespace evaljob::local
