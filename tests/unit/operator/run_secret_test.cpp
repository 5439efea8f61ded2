// The run's Secret, and what the merge is told: as the controller makes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/base64.hpp"
#include "api/digest.hpp"
#include "api/run_spec.hpp"
#include "controller_fixture.hpp"

namespace evaljob::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(ControllerTest, TheRunsSecretIsOneOfAKindAndNamedByItsContent) {
    api.put(job_path, evaljob());
    settle();
    const std::string name = status().at("runSecret").get<std::string>();
    const Json* secret = api.find(secrets + "/" + name);
    ASSERT_TRUE(secret);
    EXPECT_EQ(secret->at("immutable"), true);
    const auto content = [&](const char* key) {
        return base64_decode(secret->at("data").at(key).get<std::string>()).value();
    };
    EXPECT_EQ(content("token").size(), 64U) << "32 random bytes in hexadecimal digits";
    EXPECT_EQ(content("spec"), run_spec::text(parse_evaljob(evaljob())->spec));
    EXPECT_TRUE(name.ends_with(sha256_hex(content("token") + content("spec")).substr(0, 32))) << name;
    EXPECT_EQ(secret->at("metadata").at("ownerReferences").at(0).at("uid"), "11111111-0000");
    for (const char* pod : {"demo-0-0", "demo-1-0"})
        EXPECT_THAT(api.find(pods + "/" + pod)->at("spec").at("volumes").dump(), HasSubstr(name));
    EXPECT_EQ(count("POST " + secrets), 1);
}

TEST_F(ControllerTest, ASecretOfThatNameThatIsThereIsNeverTaken) {
    int refused = 0;
    api.instead = [&](const kube::Request& request) -> std::optional<kube::Response> {
        if (request.verb != kube::Verb::Post || request.path != secrets || refused == 2) return {};
        ++refused;
        return kube::Response{409, R"({"kind":"Status","reason":"AlreadyExists","message":"already exists"})"};
    };
    api.put(job_path, evaljob());
    settle();
    EXPECT_EQ(count("POST " + secrets), 3) << "another token is drawn";
    EXPECT_TRUE(api.find(secrets + "/" + status().at("runSecret").get<std::string>()));
    EXPECT_TRUE(api.find(pods + "/demo-1-0"));
}

TEST_F(ControllerTest, PodsNameNoSecretThatStatusHasNotKept) {
    api.instead = [&](const kube::Request& request) -> std::optional<kube::Response> {
        if (request.verb != kube::Verb::Patch) return {};
        return kube::Response{503, ""};
    };
    api.put(job_path, evaljob());
    settle();
    EXPECT_EQ(count("POST " + secrets), 1);
    EXPECT_FALSE(api.find(pods + "/demo-0-0")) << "status does not keep the name";
    api.instead = nullptr;
    controller = make();
    settle();
    EXPECT_THAT(api.find(pods + "/demo-0-0")->at("spec").at("volumes").dump(),
                HasSubstr(status().at("runSecret").get<std::string>()));
    EXPECT_EQ(count("POST " + secrets), 2) << "the first one goes with the EvalJob";
}

TEST_F(ControllerTest, TheMergeIsToldWhatNode0Evaluated) {
    api.put(job_path, evaljob());
    settle();
    run("demo-0-0");
    run("demo-1-0");
    settle();
    exit("demo-0-0", 0);
    exit("demo-1-0", 0);
    settle();
    const Json& pod = api.objects.at(merge_path).at("spec").at("template").at("spec");
    EXPECT_THAT(pod.at("containers").at(0).at("env").dump(),
                HasSubstr(R"({"name":"EVALJOB_IDENTITY","value":")" + test::frozen_identity()));
    EXPECT_EQ(status().at("identity"), test::frozen_identity());
    EXPECT_EQ(pod.at("volumes").at(0).at("secret").at("items"), Json::parse(R"([{"key": "spec", "path": "spec"}])"))
        << "a merge gets no token";
}

}  // namespace
}  // namespace evaljob::testing
