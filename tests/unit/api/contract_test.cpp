#include "api/contract.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/runner_environment.hpp"

namespace evaljob::test {
namespace {

/// Node 2 of 4 × 3.
RankContract node() {
    RankContract c;
    c.job_name = "job";
    c.job_uid = "1b4e28ba-2fa1";
    c.run_id = "job-1b4e28ba";
    c.attempt = 1;
    c.rank = 6;
    c.local_rank = 0;
    c.node_rank = 2;
    c.world_size = 12;
    c.local_world_size = 3;
    c.num_nodes = 4;
    c.master_addr = "job-0.job.default.svc";
    c.master_port = 29500;
    c.output_dir = "/v/out/runs/job-1b4e28ba/node-2/attempt-1";
    c.shared_dir = "/v/out";
    return c;
}

TEST(RankContract, GivesAPodTheWholeTable) {
    EXPECT_EQ(contract_environment(node()),
              (Environment{{"MASTER_ADDR", "job-0.job.default.svc"},
                           {"MASTER_PORT", "29500"},
                           {"WORLD_SIZE", "12"},
                           {"LOCAL_WORLD_SIZE", "3"},
                           {"NNODES", "4"},
                           {"NODE_RANK", "2"},
                           {"GROUP_RANK", "2"},
                           {"NPROC_PER_NODE", "3"},
                           {"RANK", "6"},
                           {"LOCAL_RANK", "0"},
                           {"PET_NNODES", "4"},
                           {"PET_NPROC_PER_NODE", "3"},
                           {"PET_NODE_RANK", "2"},
                           {"PET_MASTER_ADDR", "job-0.job.default.svc"},
                           {"PET_MASTER_PORT", "29500"},
                           {"EVALJOB_NAME", "job"},
                           {"EVALJOB_UID", "1b4e28ba-2fa1"},
                           {"EVALJOB_RUN_ID", "job-1b4e28ba"},
                           {"EVALJOB_ATTEMPT", "1"},
                           {"EVALJOB_OUTPUT_DIR", "/v/out/runs/job-1b4e28ba/node-2/attempt-1"},
                           {"EVALJOB_SHARED_DIR", "/v/out"}}));
}

TEST(RankContract, OfAPodIsThatOfItsFirstProcess) {
    RankContract second = node();
    second.rank = 7;
    second.local_rank = 1;
    EXPECT_EQ(contract_environment(second), contract_environment(node()));
}

TEST(RankContract, IsReadBackForEveryProcessOfEveryShape) {
    for (const auto& [nodes, procs] : {std::pair{1, 1}, {2, 2}, {4, 3}, {1, 8}, {4096, 64}}) {
        for (const int node_rank : {0, nodes / 2, nodes - 1}) {
            for (const int local_rank : {0, procs - 1}) {
                RankContract c = node();
                c.num_nodes = nodes;
                c.local_world_size = procs;
                c.world_size = nodes * procs;
                c.node_rank = node_rank;
                Environment environment = contract_environment(c);
                // What a launcher changes for each rank.
                c.local_rank = local_rank;
                c.rank = node_rank * procs + local_rank;
                environment["LOCAL_RANK"] = std::to_string(c.local_rank);
                environment["RANK"] = std::to_string(c.rank);
                const auto read = read_contract(environment);
                ASSERT_TRUE(read.has_value()) << read.error().message;
                EXPECT_EQ(*read, c);
            }
        }
    }
}

TEST(RankContract, ReservesEveryVariableThatItSetsAndThoseOfTheRunner) {
    for (const auto& [name, value] : contract_environment(node())) EXPECT_TRUE(is_reserved_variable(name)) << name;
    namespace env = runner_environment;
    for (const char* name :
         {env::run_folder, env::spec_sha256, env::merge, env::identity, env::writers, env::storage_root, env::http_port,
          env::ready_timeout_seconds, env::pod_ip, env::termination_log}) {
        EXPECT_TRUE(is_reserved_variable(name)) << name;
    }
    EXPECT_EQ(reserved_variables().size(), contract_environment(node()).size() + 10);
    EXPECT_FALSE(is_reserved_variable("OMP_NUM_THREADS"));
    EXPECT_FALSE(is_reserved_variable("rank"));
    EXPECT_FALSE(is_reserved_variable(""));
}

TEST(RankContract, NamesTheVariableThatIsMissing) {
    for (const char* name : {"EVALJOB_NAME", "EVALJOB_UID", "EVALJOB_RUN_ID", "EVALJOB_ATTEMPT", "NNODES",
                             "LOCAL_WORLD_SIZE", "WORLD_SIZE", "NODE_RANK", "LOCAL_RANK", "RANK", "MASTER_ADDR",
                             "MASTER_PORT", "EVALJOB_OUTPUT_DIR", "EVALJOB_SHARED_DIR"}) {
        for (const bool empty : {false, true}) {
            Environment environment = contract_environment(node());
            environment.erase(name);
            if (empty) environment[name] = "";
            const auto read = read_contract(environment);
            ASSERT_FALSE(read.has_value()) << name;
            EXPECT_EQ(read.error().reason, "ContractViolated");
            EXPECT_THAT(read.error().message, testing::StartsWith(std::string(name) + " is not set"));
        }
    }
}

struct Violation {
    const char* name;
    Environment changes;
    const char* message;
};

class ContractViolations : public testing::TestWithParam<Violation> {};

TEST_P(ContractViolations, AreNamed) {
    Environment environment = contract_environment(node());
    for (const auto& [name, value] : GetParam().changes) environment[name] = value;
    const auto read = read_contract(environment);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ContractViolations,
    testing::Values(
        Violation{"RankIsTheLocalRank",
                  {{"RANK", "1"}, {"LOCAL_RANK", "1"}},
                  "RANK is 1 but NODE_RANK 2 · LOCAL_WORLD_SIZE 3 + LOCAL_RANK 1 is 7; RANK was set to LOCAL_RANK"},
        Violation{
            "RankIsTheNodeRank", {{"RANK", "2"}}, "RANK is 2 but NODE_RANK 2 · LOCAL_WORLD_SIZE 3 + LOCAL_RANK 0 is 6"},
        Violation{
            "RankNegative", {{"RANK", "-1"}}, "RANK is -1 but NODE_RANK 2 · LOCAL_WORLD_SIZE 3 + LOCAL_RANK 0 is 6"},
        Violation{"LocalRankTooLarge",
                  {{"LOCAL_RANK", "3"}, {"RANK", "9"}},
                  "LOCAL_RANK is 3, must be from 0 to 2 (LOCAL_WORLD_SIZE - 1)"},
        Violation{"LocalRankNegative",
                  {{"LOCAL_RANK", "-1"}, {"RANK", "5"}},
                  "LOCAL_RANK is -1, must be from 0 to 2 (LOCAL_WORLD_SIZE - 1)"},
        Violation{"NodeRankTooLarge",
                  {{"NODE_RANK", "4"}, {"GROUP_RANK", "4"}},
                  "NODE_RANK is 4, must be from 0 to 3 (NNODES - 1)"},
        Violation{"NodeRankNegative",
                  {{"NODE_RANK", "-1"}, {"GROUP_RANK", "-1"}},
                  "NODE_RANK is -1, must be from 0 to 3 (NNODES - 1)"},
        Violation{"NoNodes", {{"NNODES", "0"}}, "NNODES is 0, must be from 1 to 2147483647"},
        Violation{"NoProcesses",
                  {{"LOCAL_WORLD_SIZE", "0"}, {"NPROC_PER_NODE", "0"}},
                  "LOCAL_WORLD_SIZE is 0, must be from 1 to 2147483647"},
        Violation{"AnotherWorldSize", {{"WORLD_SIZE", "8"}}, "WORLD_SIZE is 8 but NNODES 4 · LOCAL_WORLD_SIZE 3 is 12"},
        Violation{"WorldSizeBeyond32Bits",
                  {{"NNODES", "2147483647"}, {"WORLD_SIZE", "2147483645"}},
                  "WORLD_SIZE is 2147483645 but NNODES 2147483647 · LOCAL_WORLD_SIZE 3 is 6442450941"},
        Violation{"GroupRankDiffers",
                  {{"GROUP_RANK", "1"}},
                  "GROUP_RANK is 1 but NODE_RANK is 2; they mean the same and must be equal"},
        Violation{"NprocDiffers",
                  {{"NPROC_PER_NODE", "2"}},
                  "NPROC_PER_NODE is 2 but LOCAL_WORLD_SIZE is 3; they mean the same and must be equal"},
        Violation{"PortZero", {{"MASTER_PORT", "0"}}, "MASTER_PORT is 0, must be from 1 to 65535"},
        Violation{"PortTooLarge", {{"MASTER_PORT", "65536"}}, "MASTER_PORT is 65536, must be from 1 to 65535"},
        Violation{
            "AttemptNegative", {{"EVALJOB_ATTEMPT", "-1"}}, "EVALJOB_ATTEMPT is -1, must be from 0 to 2147483647"},
        Violation{"RankIsAText", {{"RANK", "six"}}, "RANK must be a whole number of 32 bits, is \"six\""},
        Violation{"RankHasATail", {{"RANK", "6 "}}, "RANK must be a whole number of 32 bits, is \"6 \""},
        Violation{
            "RankBeyond32Bits", {{"RANK", "4294967302"}}, "RANK must be a whole number of 32 bits, is \"4294967302\""},
        Violation{"RankWithAFraction", {{"RANK", "6.0"}}, "RANK must be a whole number of 32 bits, is \"6.0\""}),
    [](const auto& row) { return row.param.name; });

TEST(RankContract, IsParsedWithoutBeingHeldAgainstItself) {
    Environment environment = contract_environment(node());
    environment["RANK"] = "1";
    const auto parsed = parse_contract(environment);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(parsed->rank, 1);
    EXPECT_THAT(contract_violation(*parsed), testing::StartsWith("RANK is 1 but "));
    EXPECT_EQ(contract_violation(node()), "");
}

}  // namespace
}  // namespace evaljob::test
