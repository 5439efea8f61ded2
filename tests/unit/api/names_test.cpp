#include "api/names.hpp"

#include <gtest/gtest.h>

namespace evaljob::test {
namespace {

TEST(Names, AreDerivedFromTheJob) {
    EXPECT_EQ(names::service("job"), "job");
    EXPECT_EQ(names::hostname("job", 3), "job-3");
    EXPECT_EQ(names::pod("job", 3, 2), "job-3-2");
    EXPECT_EQ(names::host_fqdn("job", "team", 0), "job-0.job.team.svc");
    EXPECT_EQ(names::merge_job("job"), "job-merge");
    EXPECT_EQ(names::claim("job"), "job-claim");
    EXPECT_EQ(names::gang("job"), "job");
    EXPECT_EQ(names::queue_group("job", 2), "job-2");
    const std::string spec(64, 'a'), content(64, 'c');
    const std::string secret = names::run_secret("1b4e28ba-2fa1", spec, content);
    EXPECT_EQ(secret, "evaljob-1b4e28ba-2fa1-" + spec.substr(0, 16) + "-" + content.substr(0, 32));
    EXPECT_TRUE(names::is_run_secret(secret, "1b4e28ba-2fa1", spec));
    EXPECT_FALSE(names::is_run_secret(secret, "1b4e28ba-2fa1", content)) << "of another spec";
    EXPECT_FALSE(names::is_run_secret(secret, "1b4e28ba-2fa2", spec)) << "of another EvalJob";
    EXPECT_FALSE(names::is_run_secret("", "1b4e28ba-2fa1", spec));
    EXPECT_EQ(names::run_id("job", "1b4e28ba-2fa1-11d2-883f-0016d3cca427"), "job-1b4e28ba");
    EXPECT_EQ(names::run_id("job", "short"), "job-short");
    EXPECT_EQ(names::output_dir("/v/out", "job-1b4e28ba", 3, 2), "/v/out/runs/job-1b4e28ba/node-3/attempt-2");
}

struct Longest {
    std::size_t name;
    std::int32_t nodes;
    std::size_t expected;
};

class LongestName : public testing::TestWithParam<Longest> {};

TEST_P(LongestName, IsThatOfTheLastNodesLastAttempt) {
    const auto [length, nodes, expected] = GetParam();
    EXPECT_EQ(names::longest(std::string(length, 'a'), nodes), expected);
}

INSTANTIATE_TEST_SUITE_P(Table, LongestName,
                         testing::Values(Longest{1, 1, 8}, Longest{57, 1, 64}, Longest{56, 1, 63}, Longest{56, 10, 63},
                                         Longest{56, 11, 64}, Longest{55, 100, 63}, Longest{55, 101, 64},
                                         Longest{53, 4096, 63}, Longest{54, 4096, 64}));

TEST(LongestName, BoundsEveryOtherName) {
    const std::string job(53, 'a');
    for (const std::string& name : {names::service(job), names::hostname(job, 4095), names::merge_job(job),
                                    names::claim(job), names::pod(job, 4095, names::max_attempt)}) {
        EXPECT_LE(name.size(), names::longest(job, 4096));
    }
}

}  // namespace
}  // namespace evaljob::test
