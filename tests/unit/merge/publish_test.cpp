#include "evaljob-runner/merge/publish.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::RunFolder;
namespace fs = std::filesystem;

Published publish(const RunFolder& run, const std::string& result = "result\n", const std::string& beside = "report") {
    auto publication = Publication::begin(run.shared);
    EXPECT_TRUE(publication && publication->open("results.jsonl") && publication->write(result));
    EXPECT_TRUE(publication->seal());
    EXPECT_TRUE(publication->open("report.html") && publication->write(beside));
    auto published = publication->publish();
    EXPECT_TRUE(published) << published.error().message;
    return *published;
}

std::vector<std::string> entries(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

TEST(Publish, TheFolderIsNamedByTheDigestOfItsSums) {
    RunFolder run;
    Published published = publish(run);
    EXPECT_EQ(run.read(published.path + "/results.jsonl"), "result\n");
    EXPECT_EQ(run.read(published.path + "/report.html"), "report");
    EXPECT_EQ(run.read(published.path + "/SHA256SUMS"), sha256_hex("result\n") + "  results.jsonl\n");
    EXPECT_EQ(published.digest, sha256_hex(run.read(published.path + "/SHA256SUMS")));
    EXPECT_EQ(published.path, "results/sha256-" + published.digest);
    EXPECT_EQ(run.read("CURRENT"), "sha256-" + published.digest + "\n");
    EXPECT_THAT(entries(run.shared + "/results"), testing::ElementsAre(".lock", "sha256-" + published.digest));
}

TEST(Publish, AgainKeepsTheFolder) {
    RunFolder run;
    Published first = publish(run);
    auto written = fs::last_write_time(run.shared + "/" + first.path + "/results.jsonl");
    std::uint64_t links = fs::hard_link_count(run.shared + "/" + first.path + "/results.jsonl");
    fs::create_hard_link(run.shared + "/" + first.path + "/results.jsonl", run.shared + "/the-same-inode");
    Published second = publish(run);
    EXPECT_EQ(second.digest, first.digest);
    EXPECT_EQ(fs::last_write_time(run.shared + "/" + first.path + "/results.jsonl"), written);
    EXPECT_EQ(fs::hard_link_count(run.shared + "/" + first.path + "/results.jsonl"), links + 1);
    EXPECT_EQ(entries(run.shared + "/results").size(), 2u);
}

TEST(Publish, AgainRenewsWhatTheDigestDoesNotCover) {
    RunFolder run;
    Published first = publish(run);
    Published second = publish(run, "result\n", "another report");
    EXPECT_EQ(second.digest, first.digest);
    EXPECT_EQ(run.read(first.path + "/report.html"), "another report");
}

TEST(Publish, ADamagedFolderIsReplaced) {
    RunFolder run;
    Published first = publish(run);
    run.write(first.path + "/results.jsonl", "resulT\n");
    publish(run);
    EXPECT_EQ(run.read(first.path + "/results.jsonl"), "result\n");
    fs::remove(run.shared + "/" + first.path + "/SHA256SUMS");
    publish(run);
    EXPECT_TRUE(run.exists(first.path + "/SHA256SUMS"));
    EXPECT_EQ(entries(run.shared + "/results").size(), 2u);
}

TEST(Publish, AnotherResultMovesCurrentAndKeepsTheOldFolder) {
    RunFolder run;
    Published first = publish(run);
    Published second = publish(run, "other\n");
    EXPECT_NE(first.digest, second.digest);
    EXPECT_EQ(run.read("CURRENT"), "sha256-" + second.digest + "\n");
    EXPECT_EQ(run.read(first.path + "/results.jsonl"), "result\n");
}

TEST(Publish, RemovesWhatADeadMergeLeft) {
    RunFolder run;
    fs::create_directories(run.shared + "/results/.tmp-0123456789abcdef");
    run.write("results/.tmp-0123456789abcdef/results.jsonl", "half a li");
    publish(run);
    EXPECT_FALSE(run.exists("results/.tmp-0123456789abcdef"));
}

TEST(Publish, WhatIsNotPublishedLeavesNothing) {
    RunFolder run;
    {
        auto publication = Publication::begin(run.shared);
        ASSERT_TRUE(publication && publication->open("results.jsonl") && publication->write("half"));
    }
    EXPECT_THAT(entries(run.shared + "/results"), testing::ElementsAre(".lock"));
    EXPECT_FALSE(run.exists("CURRENT"));
}

TEST(Publish, AVolumeThatRefusesIsAnErrorThatNamesTheFile) {
    RunFolder run;
    run.write("results", "a file where the folder should be");
    auto publication = Publication::begin(run.shared);
    ASSERT_FALSE(publication);
    EXPECT_EQ(publication.error().reason, "WriteFailed");
    EXPECT_THAT(publication.error().message, testing::HasSubstr("results"));
}

}  // namespace
}  // namespace evaljob
