// One run of a small job under one seed: ranks, coordinators, merges, whoever starts them again, and the faults that
// befall them. At the end faults stop; then the run must complete, and its result must be the undisturbed run's.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/runner/faults.hpp"
#include "tests/simulation/runner/job.hpp"
#include "tests/simulation/runner/ledger.hpp"
#include "tests/simulation/runner/network.hpp"
#include "tests/simulation/runner/simulated_coordinator.hpp"
#include "tests/simulation/runner/simulated_rank.hpp"
#include "tests/simulation/runner/world.hpp"
#include "tests/simulation/seeds.hpp"

namespace evaljob::simulation {

/// Who dies at which of its changes to the disk, and how.
struct Kill {
    enum class Who { Rank, Coordinator, Merge } who = Who::Rank;
    unsigned at = 1;
    Cut cut = Cut::Before;
    bool power = false;
};

struct Plan {
    std::uint64_t seed = 1;
    Shape shape;
    std::int32_t ranks = 2;
    std::int64_t batches_at_once = 1;    // of an engine, at most
    bool quick = false;                  // a batch takes less than replacing its lease
    bool node0_writes = false;           // every other node sends its records to it
    std::array<bool, fault_count> on{};  // faults by chance
    Time faults_end = 0;
    std::optional<Kill> kill;  // of the first process of its kind
    std::string digest;        // that the published result must have; empty: not known yet
    bool traced = false;
};

/// What a seed switches on.
Plan plan_of(std::uint64_t seed);

class Simulation : public RankSurroundings {
public:
    explicit Simulation(Plan plan);
    ~Simulation() override;

    /// Once.
    SeedResult run();

    // Of a run that is over.
    const std::string& digest() const { return digest_; }
    const std::string& trace() const { return world_.trace_lines(); }
    /// How many changes to the disk the first process of the kind asked for.
    std::uint64_t changes(Kill::Who who) const { return changes_.contains(who) ? changes_.at(who) : 0; }
    std::uint64_t evaluated_again() const { return ledger_.evaluated_again(); }

private:
    /// A rank's place in the run, and who has it.
    struct Slot {
        std::shared_ptr<SimulatedRank> rank;
        int attempt = 0;
        int restart = 0;
        bool finished = false;
    };

    // What the operator and the launchers do.
    void start_rank(std::size_t slot);
    bool sends(std::size_t index) const;
    void dismiss(std::size_t index);
    void start_coordinator();
    void start_merge();
    void died(const ProcessRef& process);
    void rank_died(const std::shared_ptr<SimulatedRank>& rank);
    void coordinator_died(const std::shared_ptr<SimulatedCoordinator>& coordinator);
    void merge_when_finished();
    void merge();
    void check_exit(const Process& process);

    // Faults.
    bool on(Fault fault) const { return faulty_ && plan_.on[index_of(fault)]; }
    void happened(Fault fault) { happened_name(name_of(fault)); }
    void happened_name(const char* name);
    void arm_faults();
    void arm(Fault fault, Time mean);
    bool strike(Fault fault);
    bool strike_process(Fault fault);
    bool strike_connection(Fault fault);
    bool strike_run(Fault fault);
    void stop_faults();
    void arm_cut(const ProcessRef& process, Fault fault, unsigned most);
    void arm_start(const ProcessRef& process, Kill::Who who, Fault fault, unsigned most);
    void lose_power();
    std::shared_ptr<SimulatedRank> some_rank();
    LinkRef some_link();

    // Invariants.
    void check_recorded();
    void check_marker();
    void check_published();
    void finish();

    // RankSurroundings.
    std::shared_ptr<SimulatedCoordinator> coordinator_of(const RunContract& run) override;
    std::size_t batches_at_once() override;
    Time compute_time() override;
    Time write_time() override;
    bool dies_between_reports() override;
    void has_gathered() override;
    void violated(const std::string& what) override;
    bool survives(const std::string& path) override;

    Plan plan_;
    Manifest manifest_;
    World world_;
    SimulatedDisk disk_;
    SimulatedDisk* disk_before_;
    Network network_;
    Ledger ledger_;
    RunContract run_contract_;
    std::vector<Slot> slots_;
    std::shared_ptr<SimulatedCoordinator> coordinator_;
    std::vector<std::shared_ptr<SimulatedCoordinator>> superseded_;
    std::vector<std::shared_ptr<SimulatedRank>> zombies_;
    ProcessRef merge_;
    bool coordinator_finished_ = false;
    int merges_wanted_ = 1;
    bool faulty_ = false;
    bool over_ = false;
    std::map<Kill::Who, std::uint64_t> changes_;
    std::map<Kill::Who, bool> kill_armed_;
    std::string marker_;  // as it was seen last
    std::string digest_;
    SeedResult result_;
    std::int32_t next_pid_ = 100;
};

}  // namespace evaljob::simulation
