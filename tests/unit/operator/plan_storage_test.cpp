// The claim that the nodes write to: before the first Pod it is read once, made, waited for, or refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/plan/status.hpp"
#include "operator/plan/storage.hpp"
#include "sequences.hpp"

namespace evaljob::testing {
namespace {

using ::testing::HasSubstr;

ClaimView claim(std::vector<std::string> modes) {
    ClaimView view;
    view.found = true;
    view.access_modes = std::move(modes);
    return view;
}

ClaimView owned(ClaimView view, const std::string& kind, const std::string& uid) {
    view.owner_kind = kind;
    view.owner_uid = uid;
    return view;
}

ClaimView labelled(ClaimView view, const std::string& job) {
    view.job = job;
    return view;
}

ClaimView going(ClaimView view) {
    view.deleting = true;
    return view;
}

const std::string many = "ReadWriteMany";
const std::string once = "ReadWriteOnce";
const std::string read_only = "ReadOnlyMany";

JobBuilder named() { return JobBuilder().nodes(2).claim("results"); }
JobBuilder made() { return JobBuilder().nodes(2).claim_template("ReadWriteMany"); }

struct Found {
    std::string name;
    JobBuilder job;
    ClaimView claim;
    std::string plan;
    std::string reason;  // of Failed or Running
    std::string says;
};

void PrintTo(const Found& row, std::ostream* out) { *out << row.name; }

const std::string begins = "Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2";
const std::string makes = "Claim, " + begins;
const std::string waits = " |  | Pending 0/2";
const std::string fails = " | Failed | Failed 0/2";

const std::vector<Found> rows = {
    {"NamedAndShared", named(), claim({many}), begins, "NodesStarting", ""},
    {"NamedWithOtherModesBeside", named(), claim({once, many}), begins, "NodesStarting", ""},
    {"NamedForOneWriter", named(), claim({once}), fails, "ClaimUnusable",
     "PersistentVolumeClaim results has ReadWriteOnce, and 2 nodes write to it"},
    {"NamedForNode0", named().node0_writes(), claim({once}), begins, "NodesStarting", ""},
    {"NamedForReadersWhereNode0Writes", named().node0_writes(), claim({read_only}), fails, "ClaimUnusable",
     "it is written to"},
    {"NamedForOneWriterOfOneNode", JobBuilder().claim("results"), claim({once}),
     "Service, +demo-0-0 | NodesCreated | Starting 0/1", "NodesStarting", ""},
    {"NamedForReadersOfOneNode", JobBuilder().claim("results"), claim({read_only}), " | Failed | Failed 0/1",
     "ClaimUnusable", "has ReadOnlyMany, and it is written to"},
    {"NamedWithoutModes", named(), claim({}), fails, "ClaimUnusable", "has no access mode"},
    {"NamedOfAStranger", named(), owned(claim({many}), "StatefulSet", "x"), begins, "NodesStarting", ""},
    {"NamedAndMissing", named(), {}, waits, "ClaimNotFound", "PersistentVolumeClaim results is not there: create it"},
    {"NamedAndGoing", named(), going(claim({many})), waits, "ClaimNotFound", "is being deleted"},
    {"NoneIsNamed", JobBuilder().nodes(2), {}, fails, "NoClaim", "spec.storage: in a cluster"},
    {"ToBeMade", made(), {}, makes, "NodesStarting", ""},
    {"MadeBefore", made(), owned(claim({many}), "EvalJob", job_uid), begins, "NodesStarting", ""},
    {"KeptFromAnEarlierJobOfTheName", made(), labelled(claim({many}), "demo"), begins, "NodesStarting", ""},
    {"KeptForOneWriter", made(), labelled(claim({once}), "demo"), fails, "ClaimUnusable",
     "demo-claim has ReadWriteOnce"},
    {"KeptFromAnotherName", made(), labelled(claim({many}), "other"), fails, "NameTaken", "demo-claim exists"},
    {"OfNobody", made(), claim({many}), fails, "NameTaken", "PersistentVolumeClaim demo-claim exists"},
    {"OfAStranger", made(), labelled(owned(claim({many}), "StatefulSet", "x"), "demo"), fails, "NameTaken", "exists"},
    {"OfAnOlderJob", made(), labelled(owned(claim({many}), "EvalJob", "older"), "demo"), waits, "WaitingForOldChildren",
     "of an older EvalJob"},
    {"MadeAndGoing", made(), going(labelled(claim({many}), "demo")), waits, "ClaimNotFound", "is being deleted"},
};

class Claims : public ::testing::TestWithParam<Found> {};

TEST_P(Claims, AreFoundMadeAwaitedOrRefused) {
    World world(GetParam().job.build());
    world.join_cluster(GetParam().claim);
    EXPECT_EQ(line(world.step()), GetParam().plan);
    const EvalJobStatus& status = world.observed.job.status;
    const Condition* failed = find_condition(status, "Failed");
    const Condition* said = failed ? failed : find_condition(status, "Running");
    EXPECT_EQ(said->reason, GetParam().reason);
    EXPECT_THAT(said->message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Plan, Claims, ::testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(Claim, IsReadOnceInALife) {
    World world(named().build());
    world.join_cluster(claim({many}));
    world.step();
    world.run_pods();
    world.step();
    world.exit(1, 137);
    EXPECT_EQ(line(world.step()), "+demo-1-1 | NodeRestarted | Restarting 1/2");
    world.run_pods();
    world.settle();
    EXPECT_EQ(world.claim_reads, 1);
}

TEST(Claim, ThatIsMissingIsAwaitedUntilItIsThere) {
    World world(named().build());
    world.join_cluster({});
    EXPECT_TRUE(world.step().look_again.has_value());
    world.pass(100'000);
    EXPECT_EQ(line(world.step()), waits);
    world.claim = claim({many});
    EXPECT_EQ(line(world.step()), begins);
}

TEST(Claim, ThatIsMissingIsAwaitedUntilTheStartupDeadline) {
    World world(named().startup_deadline(60).build());
    world.join_cluster({});
    world.step();
    world.pass(59);
    EXPECT_EQ(line(world.step()), waits);
    world.pass(1);
    EXPECT_EQ(line(world.step()), fails);
    const Condition& failed = *find_condition(world.observed.job.status, "Failed");
    EXPECT_EQ(failed.reason, "StartupDeadlineExceeded");
    EXPECT_THAT(failed.message, HasSubstr("PersistentVolumeClaim results is not there"));
}

TEST(Claim, ForOneWriterKeepsAJobFromGrowing) {
    World world(JobBuilder().claim("results").build());
    world.join_cluster(claim({once}));
    world.step();
    world.run_pods();
    world.step();
    world.observed.job.spec.num_nodes = 3;
    const Plan plan = world.step();
    EXPECT_EQ(line(plan), " | Scaled | Running 1/3") << "it goes on with the node that it has";
    EXPECT_THAT(find_condition(plan.status, "Running")->message, HasSubstr("3 nodes write to it"));
    EXPECT_TRUE(plan.look_again.has_value());
    world.exit(0, 137);
    EXPECT_EQ(line(world.step()), "+demo-0-1 | NodeRestarted | Restarting 0/3") << "the node that it has is replaced";
    world.run_pods();
    world.step();
    world.exit(0, 0);
    EXPECT_EQ(line(world.step()), "Merge |  | Merging 3/3");
}

TEST(Claim, IsNotAskedForInLocalMode) {
    World world(named().build());
    EXPECT_EQ(line(world.step()), begins);
    EXPECT_EQ(world.claim_reads, 0);
}

TEST(Claim, GoesWithTheJobOrStays) {
    const Json goes = claim_object(JobBuilder().claim_template("ReadWriteMany", Retention::Delete).build());
    EXPECT_EQ(goes.at("metadata").at("ownerReferences").at(0).at("uid"), job_uid);
    const Json stays = claim_object(JobBuilder().claim_template("ReadWriteMany").build());
    EXPECT_FALSE(stays.at("metadata").contains("ownerReferences"));
    EXPECT_EQ(stays.at("metadata").at("labels").at("evaljob.dev/job"), "demo");
}

TEST(Claim, ItsLabelsAreOursWhateverTheTemplateSays) {
    EvalJob job = made().build();
    (*job.spec.storage.claim_template)["metadata"] = {{"labels", {{"team", "vision"}, {"evaljob.dev/job", "other"}}},
                                                      {"annotations", {{"note", "kept"}}}};
    const Json metadata = claim_object(job).at("metadata");
    EXPECT_EQ(metadata.at("labels").at("evaljob.dev/job"), "demo");
    EXPECT_EQ(metadata.at("labels").at("team"), "vision");
    EXPECT_EQ(metadata.at("annotations").at("note"), "kept");
}

}  // namespace
}  // namespace evaljob::testing
