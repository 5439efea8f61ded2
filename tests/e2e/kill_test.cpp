// kill -9 at random moments, each followed by whatever mends it by itself (or, for `evaljob`, by the same command
// again): the published bytes are those of an undisturbed run, every sample counts once, and no more than the
// outstanding leases was evaluated again. EVALJOB_KILLS: moments of each kind (5); EVALJOB_SEED: of the moments.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

int number_from(const char* name, int otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::atoi(text);
}

struct Kind {
    const char* name;
    int outstanding;  // leases that the victim can take along
    bool (*is_victim)(const ProcessView&);
};

bool is_rank(const ProcessView& p) { return p.is("evaljob-rank"); }
bool is_launcher(const ProcessView& p) { return p.is("evaljob-runner") && p.argv.size() > 1 && p.argv[1] == "launch"; }
bool is_other_launcher(const ProcessView& p) { return is_launcher(p) && p.variable("NODE_RANK") != "0"; }
bool is_coordinator(const ProcessView& p) { return is_launcher(p) && p.variable("NODE_RANK") == "0"; }
bool is_merge(const ProcessView& p) { return p.is("evaljob-runner") && p.argv.size() > 1 && p.argv[1] == "merge"; }

const Shape shape;
// One computed, and as many as it takes that one is at hand: docs/decisions/0029-as-many-leases-as-one-is-at-hand.md.
constexpr int of_a_rank = 8;
const int all_outstanding = of_a_rank * shape.nodes * shape.procs;

// Without a coordinator every rank's leases may be handed out again before it is back.
const Kind rank_kind{"Rank", of_a_rank, is_rank};
const Kind launcher_kind{"Launcher", of_a_rank* shape.procs, is_other_launcher};
const Kind coordinator_kind{"CoordinatorsLauncher", all_outstanding, is_coordinator};
const Kind merge_kind{"Merge", 0, is_merge};
const Kind command_kind{"Command", all_outstanding, nullptr};

class Kill : public testing::TestWithParam<Kind> {
protected:
    /// Waits until the evaluation has got as far as `share` of an undisturbed one; false when it ended before.
    static bool reach(const Evaluation& evaluation, Program& program, double share) {
        const auto target = static_cast<std::uint64_t>(share * static_cast<double>(undisturbed(shape).shard_bytes));
        return eventually([&] { return evaluation.shard_bytes() >= target || !program.running(); }) &&
               program.running();
    }

    /// True when a victim was there and was killed.
    bool kill_one(Program& program, std::mt19937& random) const {
        if (GetParam().is_victim == nullptr) {
            program.signal(SIGKILL);
            return program.wait() == 128 + SIGKILL;
        }
        auto found = descendants(program.pid());
        std::erase_if(found, [](const ProcessView& p) { return !GetParam().is_victim(p); });
        if (found.empty()) return false;
        return ::kill(found[random() % found.size()].pid, SIGKILL) == 0;
    }

    bool kill_at_random_moment(const Evaluation& evaluation, Program& program, std::mt19937& random) const {
        if (GetParam().is_victim == is_merge) {
            // On sight: a merge of so few samples is over in a moment.
            bool hit = false;
            eventually([&] { return (hit = kill_one(program, random)) || !program.running(); });
            return hit;
        }
        const double share = std::uniform_real_distribution<>(0.02, 0.98)(random);
        return reach(evaluation, program, share) && kill_one(program, random);
    }
};

TEST_P(Kill, LeavesTheSameBytes) {
    const int wanted = number_from("EVALJOB_KILLS", 5);
    const int seed = number_from("EVALJOB_SEED", 1);
    std::mt19937 random(static_cast<unsigned>(seed));
    undisturbed(shape);  // before the first victim starts
    int hits = 0;
    std::uint64_t worst = 0;
    for (int round = 0; hits < wanted && round < 4 * wanted; ++round) {
        Evaluation evaluation("kill");
        auto program = evaluation.start(shape);
        if (kill_at_random_moment(evaluation, *program, random)) ++hits;
        if (GetParam().is_victim == nullptr) {
            ASSERT_TRUE(eventually([&] {
                return with_variable(Evaluation::marker, evaluation.marker_value()).empty();
            })) << "processes outlived the evaljob that had started them";
            program = evaluation.start(shape);
        }
        ASSERT_EQ(program->wait(), 0) << "seed " << seed << ", round " << round << ", " << evaluation.folder() << "\n"
                                      << evaluation.console();
        ASSERT_EQ(evaluation.published(), undisturbed(shape).published) << "seed " << seed << ", round " << round;
        const auto leases = evaluation.leases();
        worst = std::max(worst, leases.again());
        ASSERT_LE(leases.again(), static_cast<std::uint64_t>(GetParam().outstanding)) << evaluation.folder();
    }
    std::cout << GetParam().name << ": killed " << hits << " times; leases handed out again at most " << worst << " of "
              << GetParam().outstanding << " that can be outstanding" << std::endl;
    EXPECT_EQ(hits, wanted) << "too few victims were found alive";
}

INSTANTIATE_TEST_SUITE_P(Each, Kill,
                         testing::Values(rank_kind, launcher_kind, coordinator_kind, merge_kind, command_kind),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::e2e
