#include "evaljob-runner/merge/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::answer;
using test::small_manifest;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Job {
    explicit Job(std::vector<std::string> classes = {"Shirt", "Coat", "Bag"}) : manifest(small_manifest(classes)) {
        for (int i = 0; i < 12; ++i) records.push_back(answer(i, {1, static_cast<std::uint64_t>(i)}));
        traces.push_back({"runs/r/rank-0.shard",
                          {"identity", "run-77", 0, 0, 0, 0, "cuda:0 GPU-5", "libtorch 2.11.0", 3, 0},
                          12,
                          {{0, {1, 0}, 1'700'000'000'000'000, 1'700'000'002'000'000, 12}}});
    }

    std::string render(std::vector<std::string> overlooked = {}) const {
        Prover prover(manifest, "this");
        prover.begin_shard("a.shard", "this");
        for (const Record& record : records) prover.add(record);
        Proof proof = std::move(prover).finish();
        auto scores = score(manifest, proof);
        return render_report({manifest, proof, scores, traces, job_name, "the-identity", "the-digest", overlooked});
    }

    Manifest manifest;
    std::vector<Record> records;
    std::vector<ShardTrace> traces;
    std::string job_name = "wardrobe-job";
};

TEST(Report, TellsEverythingAStrangerNeeds) {
    std::string page = Job().render();
    EXPECT_THAT(page, AllOf(HasSubstr("<h1>wardrobe-job</h1>"), HasSubstr("83.33"), HasSubstr("55.20 – 95.30"),
                            HasSubstr("10 of 12 samples are right"), HasSubstr("12 samples, each counted exactly once"),
                            HasSubstr("No sample had to be evaluated a second time")));
    EXPECT_THAT(page, AllOf(HasSubstr("model.pt"), HasSubstr(std::string(64, 'a')), HasSubstr("the-identity"),
                            HasSubstr("the-digest"), HasSubstr("cuda:0 GPU-5"), HasSubstr("libtorch 2.11.0"),
                            HasSubstr("run-77"), HasSubstr("rank 0"), HasSubstr("2023-11-14 22:13:20 UTC"),
                            HasSubstr("batch 0: 12 samples, 2.000 s")));
    EXPECT_THAT(page, AllOf(HasSubstr("Worst errors"), HasSubstr("99.00 %"), HasSubstr("81.25 %")));
    EXPECT_LT(page.find("99.00 %"), page.find("81.25 %"));
    EXPECT_THAT(page, Not(HasSubstr("Partial result")));
}

TEST(Report, NeedsNothingFromElsewhereAndNoScript) {
    std::string page = Job().render();
    for (const char* forbidden : {"http://", "https://", "<script", "<link", "<img", "url(", "@import", "src="})
        EXPECT_THAT(page, Not(HasSubstr(forbidden)));
}

TEST(Report, LeavesNoTagOfItsTemplate) {
    EXPECT_THAT(Job().render({"a fault"}), AllOf(Not(HasSubstr("{{")), Not(HasSubstr("}}"))));
}

TEST(Report, EscapesWhatOthersNamed) {
    std::string hostile = "<script>alert('x')</script>\"{{title}}";
    Job job({hostile, "Coat", "Bag"});
    job.job_name = hostile;
    job.manifest.samples[4].id = hostile;
    job.records[4].id = hostile;
    job.records[5].prediction = nullptr;
    job.records[5].error = hostile;
    job.manifest.config["model"]["path"] = hostile;
    job.traces[0].header.device = hostile;
    std::string page = job.render({hostile});
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&apos;x&apos;)&lt;/script&gt;&quot;{{title}}"));
}

TEST(Report, SaysWhatIsWrongWithAPartialResult) {
    Job job;
    job.records.erase(job.records.begin() + 2);
    std::string page = job.render({"1 of 12 samples have no record: 2"});
    EXPECT_THAT(page, AllOf(HasSubstr("Partial result"), HasSubstr("1 of 12 samples have no record: 2"),
                            Not(HasSubstr("each counted exactly once"))));
}

TEST(Report, CountsRepeatsAndNamesFailuresAndConflicts) {
    Job job;
    job.records.push_back(answer(1, {2, 0}));
    Record other = answer(6, {2, 1});
    other.prediction = 2;
    job.records.push_back(other);
    job.records[7].prediction = nullptr;
    job.records[7].error = "out of memory at layer 3";
    std::string page = job.render();
    EXPECT_THAT(
        page, AllOf(HasSubstr("2 samples were found more than once"), HasSubstr("Failed samples"),
                    HasSubstr("out of memory at layer 3"), HasSubstr("once: out of memory at layer 3. The first of 1:"),
                    HasSubstr("Conflicting samples"), HasSubstr("<code>6</code>")));
}

TEST(Report, OfAThousandClassesStaysReadable) {
    std::vector<std::string> classes;
    for (int i = 0; i < 1000; ++i) classes.push_back("class-" + std::to_string(i));
    Job job({"Shirt", "Coat", "Bag"});
    job.manifest.config["datasets"][0]["task"]["classes"] = classes;
    std::string page = job.render();
    EXPECT_THAT(page, AllOf(HasSubstr("Too many classes for a matrix"), HasSubstr("class-2")));
    EXPECT_LT(page.size(), 100'000u);
}

}  // namespace
}  // namespace evaljob
