// The controller against an API server of a few lines: whole lives, and what goes wrong between plan and server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller_fixture.hpp"
#include "operator/plan/status.hpp"

namespace evaljob::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(ControllerTest, OrdinaryLife) {
    api.put(job_path, evaljob());
    settle();
    EXPECT_TRUE(api.find(pods + "/demo-1-0"));
    EXPECT_EQ(word(), "Starting");
    run("demo-0-0");
    run("demo-1-0");
    settle();
    EXPECT_EQ(word(), "Running");
    exit("demo-0-0", 0);
    exit("demo-1-0", 0);
    settle();
    EXPECT_EQ(word(), "Merging");
    finish_merge();
    settle();
    EXPECT_EQ(word(), "Succeeded");
    EXPECT_EQ(status().at("summary").at("score"), "0.913");
    EXPECT_THAT(events(), ::testing::ElementsAre("NodesCreated", "Succeeded"));
    EXPECT_FALSE(controller->next_look().has_value()) << "nothing is left to look at";
    EXPECT_LT(api.writes.size(), 15U);
}

TEST_F(ControllerTest, PodsThatComeUpOneAfterTheOtherCostNoWriteEach) {
    Json job = evaljob(4);
    job["spec"]["minNodes"] = 4;
    api.put(job_path, job);
    settle();
    now += lesser_change_seconds;
    settle();
    const std::size_t before = api.writes.size();
    for (const char* pod : {"demo-0-0", "demo-1-0", "demo-2-0"}) {
        run(pod);
        settle();
    }
    EXPECT_EQ(api.writes.size(), before);
    now += lesser_change_seconds;
    settle();
    EXPECT_EQ(api.writes.size(), before + 1);
    EXPECT_EQ(status().at("summary").at("nodes"), "3/4");
}

TEST_F(ControllerTest, WhatIsNoLesserChangeIsWrittenAtOnce) {
    api.put(job_path, evaljob());
    settle();
    run("demo-0-0");
    settle();
    run("demo-1-0");
    settle();
    EXPECT_EQ(word(), "Running");
    EXPECT_EQ(status().at("summary").at("nodes"), "2/2");
}

TEST_F(ControllerTest, DeadNodeIsReplacedOnce) {
    api.put(job_path, evaljob());
    settle();
    run("demo-0-0");
    run("demo-1-0");
    settle();
    exit("demo-1-0", 137);
    settle();
    EXPECT_TRUE(api.find(pods + "/demo-1-1"));
    EXPECT_FALSE(api.find(pods + "/demo-1-2"));
    EXPECT_EQ(status().at("restarts"), 1);
    EXPECT_THAT(events(), ::testing::ElementsAre("NodeRestarted", "NodesCreated"));
}

TEST_F(ControllerTest, NewControllerGoesOnWhereTheOldOneWas) {
    api.put(job_path, evaljob());
    settle();
    run("demo-0-0");
    run("demo-1-0");
    settle();
    const auto writes = api.writes.size();
    controller = make();
    settle();
    EXPECT_EQ(api.writes.size(), writes) << "there is nothing to write";
    exit("demo-1-0", 1);
    settle();
    EXPECT_TRUE(api.find(pods + "/demo-1-1"));
}

TEST_F(ControllerTest, KilledAfterEachWriteEndsTheSame) {
    for (std::size_t killed_after = 1; killed_after < 15; ++killed_after) {
        SCOPED_TRACE("killed after write " + std::to_string(killed_after));
        api.objects.clear();
        api.writes.clear();
        controller = make();
        // From then on nothing arrives at the server, until there is a new controller.
        api.instead = [&](const kube::Request& request) -> std::optional<kube::Response> {
            if (request.verb == kube::Verb::Get || api.writes.size() <= killed_after) return {};
            return kube::Response{503, ""};
        };
        api.put(job_path, evaljob());
        bool replaced = false;
        const auto go_on = [&] {
            settle();
            if (api.writes.size() <= killed_after || replaced) return;
            replaced = true;
            api.instead = nullptr;
            controller = make();
            settle();
        };
        go_on();
        run("demo-0-0");
        run("demo-1-0");
        go_on();
        exit("demo-1-0", 137);
        go_on();
        run("demo-1-1");
        go_on();
        exit("demo-0-0", 0);
        exit("demo-1-1", 0);
        go_on();
        finish_merge();
        go_on();
        EXPECT_TRUE(replaced);
        EXPECT_EQ(word(), "Succeeded");
        EXPECT_EQ(status().at("restarts"), 1);
        EXPECT_FALSE(api.find(pods + "/demo-1-2"));
        EXPECT_FALSE(api.find(pods + "/demo-0-1"));
    }
}

TEST_F(ControllerTest, NameThatNoListShowsIsFound) {
    api.put("/api/v1/namespaces/default/services/demo",
            {{"metadata", {{"name", "demo"}, {"namespace", "default"}, {"uid", "theirs"}}}});
    api.put(job_path, evaljob());
    settle();
    EXPECT_EQ(word(), "Failed");
    EXPECT_EQ(condition("Failed").at("reason"), "NameTaken");
    EXPECT_THAT(condition("Failed").at("message").get<std::string>(), HasSubstr("Service demo"));
    EXPECT_FALSE(api.find(pods + "/demo-0-0"));
}

TEST_F(ControllerTest, RefusedPodFailsTheJobWithTheServersWords) {
    api.instead = [](const kube::Request& request) -> std::optional<kube::Response> {
        if (request.verb != kube::Verb::Post || request.path != pods) return {};
        return kube::Response{422,
                              R"({"kind":"Status","reason":"Invalid","message":"spec.containers[0].image: Required"})"};
    };
    api.put(job_path, evaljob());
    settle();
    EXPECT_EQ(word(), "Failed");
    EXPECT_THAT(condition("Failed").at("message").get<std::string>(), HasSubstr("image: Required"));
}

TEST_F(ControllerTest, ServerErrorsAreTriedAgainLater) {
    int refusals = 3;
    api.instead = [&](const kube::Request& request) -> std::optional<kube::Response> {
        if (request.verb != kube::Verb::Post || request.path != pods || refusals == 0) return {};
        --refusals;
        return kube::Response{503, ""};
    };
    api.put(job_path, evaljob());
    for (int i = 0; i < 10; ++i) {
        settle();
        if (controller->next_look()) now = std::max(now, *controller->next_look());
    }
    EXPECT_TRUE(api.find(pods + "/demo-1-0"));
    EXPECT_THAT(events(), ::testing::ElementsAre("NodesCreated"));
}

TEST_F(ControllerTest, EndedWatchesAreOpenedAgain) {
    api.put(job_path, evaljob());
    settle();
    now += 5;
    api.end_watches();
    settle();
    exit("demo-0-0", 1);
    settle();
    EXPECT_TRUE(api.find(pods + "/demo-0-1"));
}

TEST_F(ControllerTest, InvalidSpecIsSaidOnceAndMended) {
    Json bad = evaljob();
    bad["spec"]["numNodes"] = 0;
    api.put(job_path, bad);
    settle();
    EXPECT_EQ(condition("Running").at("reason"), "InvalidSpec");
    EXPECT_THAT(condition("Running").at("message").get<std::string>(), HasSubstr("spec.numNodes"));
    EXPECT_EQ(count("PATCH " + job_path + "/status"), 1);
    Json good = evaljob();
    good["status"] = status();
    api.put(job_path, good);
    settle();
    EXPECT_TRUE(api.find(pods + "/demo-1-0"));
}

TEST_F(ControllerTest, ProgressIsAskedForAgain) {
    api.put(job_path, evaljob());
    settle();
    run("demo-0-0");
    run("demo-1-0");
    ProgressReport report;
    report.samples_done = 10;
    report.samples_total = 100;
    report.rendezvous_ready = true;
    report.time = now;
    progress = report;
    settle();
    EXPECT_EQ(status().at("summary").at("progress"), "10%");
    progress->samples_done = 20;
    progress->time = now + 10;
    ASSERT_EQ(controller->next_look(), now + 10);
    now += 10;
    settle();
    EXPECT_EQ(status().at("summary").at("progress"), "20%");
}

TEST_F(ControllerTest, DeletedAndMadeAgainUnderTheSameName) {
    api.put(job_path, evaljob());
    settle();
    run("demo-0-0");
    api.erase(job_path);
    Json second = evaljob();
    second["metadata"]["uid"] = "22222222-0000";
    api.put(job_path, second);
    settle();
    EXPECT_EQ(condition("Running").at("reason"), "WaitingForOldChildren");
    for (const std::string& path :
         {pods + "/demo-0-0", pods + "/demo-1-0", std::string("/api/v1/namespaces/default/services/demo")})
        api.erase(path);
    settle();
    EXPECT_EQ(word(), "Starting");
    EXPECT_EQ(api.objects.at(pods + "/demo-0-0").at("metadata").at("ownerReferences").at(0).at("uid"), "22222222-0000");
}

TEST(MergePatch, SaysOnlyTheDifference) {
    const Json before = {{"a", 1}, {"b", {{"c", 1}, {"d", 2}}}, {"e", Json::array({1})}, {"gone", 1}};
    const Json after = {{"a", 1}, {"b", {{"c", 1}, {"d", 3}}}, {"e", Json::array({1, 2})}, {"new", 1}};
    const Json patch = merge_patch(before, after);
    EXPECT_EQ(patch, (Json{{"b", {{"d", 3}}}, {"e", Json::array({1, 2})}, {"gone", nullptr}, {"new", 1}}));
    Json patched = before;
    patched.merge_patch(patch);
    EXPECT_EQ(patched, after);
    EXPECT_TRUE(merge_patch(after, after).empty());
}

}  // namespace
}  // namespace evaljob::testing
