#include "tests/simulation/runner/simulation.hpp"

#include <algorithm>

#include "api/digest.hpp"
#include "api/exit_code.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob::simulation {

namespace {

constexpr Time longest_run = 4 * 3'600'000;
constexpr std::uint64_t most_steps = 400'000;

}  // namespace

Simulation::Simulation(Plan plan)
    : plan_(std::move(plan)),
      manifest_(manifest_of(plan_.shape)),
      world_(plan_.seed, plan_.traced),
      disk_(plan_.seed ^ 0xd15cULL, world_),
      disk_before_(std::exchange(disk_here(), &disk_)),
      network_(world_),
      ledger_(RankLoop::most_leases(static_cast<std::size_t>(plan_.batches_at_once)),
              [this](const std::string& what) { violated(what); }) {
    run_contract_.ranks = plan_.ranks;
    world_.on_fault = [this](const char* name) { happened_name(name); };
    world_.on_death = [this](const ProcessRef& process) { died(process); };
    world_.on_step_end = [this](const ProcessRef&) { check_marker(); };
    world_.on_power_loss = [this] { lose_power(); };
}

Simulation::~Simulation() {
    // Logs close their files while the disk is there.
    world_.forget_events();
    slots_.clear();
    zombies_.clear();
    superseded_.clear();
    coordinator_ = nullptr;
    disk_here() = disk_before_;
}

SeedResult Simulation::run() {
    disk_.make_folder("/volume");
    sync_entries("/volume");
    faulty_ = plan_.faults_end > 0;
    if (faulty_) arm_faults();
    if (plan_.faults_end > 0) merges_wanted_ = world_.random.chance(0.3) ? 2 : 1;
    slots_.resize(static_cast<std::size_t>(plan_.ranks));
    start_coordinator();
    for (std::size_t i = 0; i < slots_.size(); ++i) start_rank(i);
    while (!over_ && result_.failure.empty()) {
        if (!world_.run_next() || world_.now() > longest_run || world_.steps() > most_steps)
            violated("the run did not complete, " + std::to_string(ledger_.recorded_batches().size()) + " of " +
                     std::to_string(manifest_.batches.size()) + " batches are durable");
    }
    if (const auto more = ledger_.asked_for_more(); more > 0) result_.faults["(a rank asked for more leases)"] = more;
    if (ledger_.leased_twice() > 0) result_.faults["(batches leased to two at once)"] = ledger_.leased_twice();
    if (const auto again = ledger_.evaluated_again(); again > 0) result_.faults["(batches evaluated again)"] = again;
    return result_;
}

// What the operator and the launchers do.

void Simulation::start_rank(std::size_t index) {
    Slot& slot = slots_[index];
    if (over_ || slot.finished) return;
    if (sends(index) && coordinator_finished_) return dismiss(index);
    Hello hello = hello_of(run_contract_, static_cast<std::int32_t>(index), slot.attempt, slot.restart);
    hello.pid = next_pid_++;
    slot.rank = std::make_shared<SimulatedRank>("rank " + std::to_string(index) + " pid " + std::to_string(hello.pid),
                                                world_, network_, ledger_, *this, run_contract_, hello);
    slot.rank->sends = sends(index);
    arm_start(slot.rank, Kill::Who::Rank, Fault::RankKilledAtWrite, 12);
    world_.in(0, slot.rank, [rank = slot.rank] { rank->start(); });
}

bool Simulation::sends(std::size_t index) const { return plan_.node0_writes && index != 0; }

/// What the operator does about a node that sends, once node 0 is done: there is nothing it could still do.
void Simulation::dismiss(std::size_t index) {
    slots_[index].finished = true;
    merge_when_finished();
}

void Simulation::start_coordinator() {
    if (over_ || coordinator_finished_) return;
    auto started = std::make_shared<SimulatedCoordinator>("coordinator " + std::to_string(next_pid_++), world_,
                                                          network_, ledger_, run_contract_);
    coordinator_ = started;
    arm_start(started, Kill::Who::Coordinator, Fault::CoordinatorKilledAtWrite, 30);
    world_.in(0, started, [this, started] { started->start(manifest_); });
}

void Simulation::start_merge() {
    if (over_ || merge_) return;
    merge_ = std::make_shared<Process>("merge " + std::to_string(next_pid_++));
    arm_start(merge_, Kill::Who::Merge, Fault::MergeKilledAtWrite, 60);
    world_.in(0, merge_, [this] { merge(); });
}

void Simulation::merge() {
    const ProcessRef self = merge_;
    MergeOptions options;
    options.shared_dir = shared_folder;
    const MergeOutcome outcome = run_merge(options);
    if (self->dead) return;
    world_.trace(self->name + ": " + std::to_string(outcome.exit_code) + " " + outcome.report.error);
    if (outcome.exit_code == exit_code::success) {
        const MergeReport& report = outcome.report;
        if (report.samples != static_cast<std::int64_t>(manifest_.items()) ||
            report.missing.value_or(0) + report.failed > 0 || report.conflicting + report.foreign > 0)
            violated(self->name + ": published, but " + std::to_string(report.missing.value_or(0)) + " are missing, " +
                     std::to_string(report.conflicting) + " conflict, " + std::to_string(report.foreign) +
                     " are foreign");
        digest_ = report.digest;
        if (!plan_.digest.empty() && digest_ != plan_.digest)
            violated(self->name + ": published other bytes than the undisturbed run");
    } else if (outcome.exit_code != exit_code::storage && outcome.exit_code != exit_code::no_space) {
        violated(self->name + ": refused for good: " + outcome.report.error);
    }
    world_.exit(self, outcome.exit_code);
}

void Simulation::died(const ProcessRef& process) {
    if (process->exit_code) check_exit(*process);
    world_.trace(process->name + (process->exit_code ? " ends with " + std::to_string(*process->exit_code) : " dies"));
    if (const auto rank = std::dynamic_pointer_cast<SimulatedRank>(process)) return rank_died(rank);
    if (const auto coordinator = std::dynamic_pointer_cast<SimulatedCoordinator>(process))
        return coordinator_died(coordinator);
    if (!changes_.contains(Kill::Who::Merge)) changes_[Kill::Who::Merge] = process->changes;
    merge_ = nullptr;
    const bool published = process->exit_code && *process->exit_code == exit_code::success;
    if (published && --merges_wanted_ <= 0) return world_.in(faulty_ ? 1'000 : 30'000, nullptr, [this] { finish(); });
    world_.in(1'000, nullptr, [this] { start_merge(); });
}

void Simulation::rank_died(const std::shared_ptr<SimulatedRank>& rank) {
    if (!changes_.contains(Kill::Who::Rank)) changes_[Kill::Who::Rank] = rank->changes;
    if (const LinkRef link = rank->link()) {
        if (world_.random.chance(0.5)) {
            network_.close_up(link);
        } else {
            network_.cut(
                link, 0,
                on(Fault::ConnectionHalfOpen) && world_.random.chance(0.3) ? 20'000 : world_.random.between(1, 50));
        }
    }
    rank->forget_link();
    std::erase(zombies_, rank);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        if (slot.rank != rank) continue;
        slot.rank = nullptr;
        slot.finished = rank->exit_code && *rank->exit_code == exit_code::success;
        if (slot.finished) return merge_when_finished();
        if (sends(i) && coordinator_finished_) return dismiss(i);
        // In its place, by the launcher; or as another Pod.
        world_.random.chance(0.5) ? ++slot.restart : (slot.restart = 0, ++slot.attempt);
        const int run = run_contract_.number;
        return world_.in(world_.random.between(100, 3'000), nullptr, [this, i, run] {
            if (run == run_contract_.number && i < slots_.size() && !slots_[i].rank) start_rank(i);
        });
    }
}

void Simulation::coordinator_died(const std::shared_ptr<SimulatedCoordinator>& coordinator) {
    if (!changes_.contains(Kill::Who::Coordinator)) changes_[Kill::Who::Coordinator] = coordinator->changes;
    ledger_.forgotten(coordinator->epoch());
    for (const auto& [session, link] : std::exchange(coordinator->links(), {}))
        network_.cut(link, world_.random.between(1, 50), 0);
    std::erase(superseded_, coordinator);
    if (coordinator != coordinator_) return;
    coordinator_ = nullptr;
    if (coordinator->exit_code && *coordinator->exit_code == exit_code::success) {
        coordinator_finished_ = true;
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            world_.in(30'000, nullptr, [this, i, run = run_contract_.number] {
                if (run == run_contract_.number && i < slots_.size() && sends(i) && slots_[i].rank)
                    world_.kill(slots_[i].rank);
            });
        }
        return merge_when_finished();
    }
    const int run = run_contract_.number;
    world_.in(world_.random.between(200, 5'000), nullptr, [this, run] {
        if (run == run_contract_.number && !coordinator_) start_coordinator();
    });
}

void Simulation::merge_when_finished() {
    const bool all = std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.finished; });
    if (all && coordinator_finished_ && !merge_) world_.in(200, nullptr, [this] { start_merge(); });
}

/// A process that ends by itself must have a reason that is one of ours.
void Simulation::check_exit(const Process& process) {
    const int code = *process.exit_code;
    const bool disk_was_full = result_.faults.contains(name_of(Fault::DiskFull));
    const bool disk_fault = result_.faults.contains(name_of(Fault::SyncError)) || disk_was_full;
    const auto* rank = dynamic_cast<const SimulatedRank*>(&process);
    const bool of_old_run = rank != nullptr && rank->contract.number != run_contract_.number;
    const bool explained =
        code == exit_code::success || code == exit_code::terminated || code == exit_code::unavailable ||
        (code == exit_code::storage && disk_fault) || (code == exit_code::internal && disk_fault) ||
        (code == exit_code::no_space && disk_was_full) || (code == exit_code::contract && of_old_run);
    if (!explained) violated(process.name + " ended with " + std::to_string(code) + " for no reason");
}

// Invariants.

/// After a loss of power.
void Simulation::check_recorded() {
    if (over_ || !result_.failure.empty()) return;
    if (ledger_.recorded_batches().empty()) return;
    const DiskFaults faults = std::exchange(disk_.faults, {});
    const auto inventory = take_inventory(manifest_, shared_folder, 0);
    disk_.faults = faults;
    if (!inventory) return violated("the logs cannot be read: " + inventory.error().message);
    for (const auto& [batch, when] : ledger_.recorded_batches()) {
        for (const auto item : manifest_.batches[batch].items)
            if (!inventory->items[item])
                return violated("batch " + std::to_string(batch) + " was durable, and is lost with the power");
    }
}

void Simulation::check_marker() {
    const std::string path = layout::done_marker(shared_folder);
    if (disk_.status(path).kind != disk::Kind::File) return;
    const auto text = read_file(path, 1 << 20);
    if (!text || *text == marker_) return;
    marker_ = *text;
    world_.trace("done marker: " + marker_);
    const auto marker = decode_done_marker(*text);
    if (!marker) return violated(marker.error().message);
    for (const DoneShard& shard : marker->shards) {
        if (!disk_.survives(std::string(shared_folder) + "/" + shard.path, shard.length))
            violated("the done marker lists " + shard.path + ", which a loss of power would lose");
    }
}

/// What was published is there after a loss of power, and is what it says.
void Simulation::check_published() {
    const auto current = read_file(layout::current(shared_folder), 4'096);
    if (!current) return violated("published, and CURRENT is lost with the power");
    if (*current != "sha256-" + digest_ + "\n") return violated("CURRENT names " + *current);
    const std::string folder = layout::results(shared_folder) + "/sha256-" + digest_;
    const auto sums = read_file(folder + "/SHA256SUMS", 1 << 20);
    if (!sums || sha256_hex(*sums) != digest_) return violated("published, and SHA256SUMS is lost with the power");
    for (std::string_view rest = *sums; rest.size() > 66;) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() + 1);
        const auto file = read_file(folder + "/" + std::string(line.substr(66)), 1 << 24);
        if (!file || sha256_hex(*file) != line.substr(0, 64))
            return violated("published, and " + std::string(line.substr(66)) + " is lost with the power");
    }
}

/// The power goes once more: everything must still stand, and now and then prove itself again.
void Simulation::finish() {
    stop_faults();
    for (const auto& rank : std::vector(zombies_)) world_.kill(rank);
    for (const auto& coordinator : std::vector(superseded_)) world_.kill(coordinator);
    disk_.lose_power();
    check_published();
    check_recorded();
    ledger_.check_end();
    over_ = true;
    if (!world_.random.chance(0.25)) return;  // half of a seed's time would go into merges
    MergeOptions options;
    options.shared_dir = shared_folder;
    const MergeOutcome again = run_merge(options);
    if (again.exit_code != exit_code::success || again.report.digest != digest_)
        violated("the merge does not prove its result again: " + again.report.error);
}

// RankSurroundings.

std::shared_ptr<SimulatedCoordinator> Simulation::coordinator_of(const RunContract& run) {
    // A rank of an earlier run finds the new one's coordinator under the old name.
    (void)run;
    return coordinator_ && coordinator_->listens() ? coordinator_ : nullptr;
}

std::size_t Simulation::batches_at_once() {
    return static_cast<std::size_t>(world_.random.between(1, plan_.batches_at_once));
}

Time Simulation::compute_time() { return plan_.quick ? world_.random.between(0, 3) : world_.random.between(50, 2'000); }

Time Simulation::write_time() {
    if (!on(Fault::DiskSlow) || !world_.random.chance(0.3)) return world_.random.between(0, 3);
    happened(Fault::DiskSlow);
    return world_.random.between(500, 8'000);
}

bool Simulation::dies_between_reports() {
    if (!on(Fault::RankKilledBetweenReports) || !world_.random.chance(0.5)) return false;
    happened(Fault::RankKilledBetweenReports);
    return true;
}

void Simulation::has_gathered() {
    if (!on(Fault::PowerLostWhileGathered) || !world_.random.chance(0.3)) return;
    happened(Fault::PowerLostWhileGathered);
    world_.in(0, nullptr, [this] { lose_power(); });
}

void Simulation::violated(const std::string& what) {
    world_.trace("VIOLATED: " + what);
    if (result_.failure.empty()) result_.failure = what;
}

bool Simulation::survives(const std::string& path) { return disk_.survives(path, disk_.status(path).size); }

void Simulation::happened_name(const char* name) {
    ++result_.faults[name];
    world_.trace(std::string("FAULT: ") + name);
    // A log that could not be made durable is passed over: what it held may be evaluated again.
    // One whose name nobody has written down may not be seen in time, neither.
    for (const Fault fault : {Fault::SyncError, Fault::StaleListing})
        if (std::string_view(name) == name_of(fault)) ledger_.excuse();
}

}  // namespace evaljob::simulation
