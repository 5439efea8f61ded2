// When faults strike, and whom.
#include <algorithm>
#include <cmath>

#include "tests/simulation/runner/simulation.hpp"

namespace evaljob::simulation {

namespace {

/// By timer; the others are chances at each call or message.
constexpr std::array timed{
    Fault::RankKilled,
    Fault::RankKilledAtWrite,
    Fault::CoordinatorKilled,
    Fault::CoordinatorKilledAtWrite,
    Fault::PowerLost,
    Fault::PowerLostAtWrite,
    Fault::DiskFull,
    Fault::CacheEvicted,
    Fault::ConnectionBroken,
    Fault::ConnectionHalfOpen,
    Fault::RankPaused,
    Fault::DeviceHung,
    Fault::Zombie,
    Fault::SecondCoordinator,
    Fault::ClockForward,
    Fault::ClockBackward,
    Fault::Terminated,
    Fault::Resumed,
};

}  // namespace

Plan plan_of(std::uint64_t seed) {
    Random random(seed ^ 0x5eedULL);
    Plan plan;
    plan.seed = seed;
    constexpr std::array<Shape, 4> shapes{Shape{12, 3}, Shape{1, 1}, Shape{16, 1}, Shape{24, 4}};
    plan.shape = shapes[random.below(shapes.size())];
    plan.quick = random.chance(0.4);
    if (plan.quick && random.chance(0.5)) plan.shape = {64, 1};
    if (random.chance(0.3)) plan.batches_at_once = random.between(2, 3);
    plan.ranks = static_cast<std::int32_t>(random.between(1, 4));
    const double share = random.chance(0.5) ? 0.15 : 0.35;
    for (auto& on : plan.on) on = random.chance(share);
    plan.faults_end = random.between(5'000, 60'000);
    plan.node0_writes = random.chance(0.3);
    return plan;
}

void Simulation::arm_faults() {
    for (const Fault fault : timed) {
        if (on(fault)) arm(fault, std::array<Time, 3>{1'500, 5'000, 20'000}[world_.random.below(3)]);
    }
    if (on(Fault::ShortWrite)) disk_.faults.short_write = 0.1;
    if (on(Fault::SyncError)) disk_.faults.sync_error = world_.random.chance(0.5) ? 0.02 : 0.1;
    if (on(Fault::StaleListing)) disk_.faults.stale_listing = 30'000;
    if (on(Fault::MessagesDelayed)) network_.delay = 0.05;
    if (on(Fault::MessageRepeated)) network_.repeat = 0.1;
    if (on(Fault::Interleaved)) world_.interleaving = 0.1;
    world_.in(plan_.faults_end, nullptr, [this] { stop_faults(); });
}

void Simulation::stop_faults() {
    if (!faulty_) return;
    faulty_ = false;
    world_.trace("faults stop");
    disk_.faults = {};
    network_.delay = network_.repeat = 0;
    world_.interleaving = 0;
    if (coordinator_) coordinator_->cut_in.reset();
    if (merge_) merge_->cut_in.reset();
    for (Slot& slot : slots_)
        if (slot.rank) slot.rank->cut_in.reset();
}

void Simulation::arm(Fault fault, Time mean) {
    const double uniform = (static_cast<double>(world_.random.below(1'000'000)) + 1) / 1'000'001;
    const Time wait = 1 + static_cast<Time>(-std::log(uniform) * static_cast<double>(mean));
    world_.in(wait, nullptr, [this, fault, mean] {
        if (!faulty_) return;
        if (strike(fault)) happened(fault);
        arm(fault, mean);
    });
}

std::shared_ptr<SimulatedRank> Simulation::some_rank() {
    const auto& rank = slots_[world_.random.below(slots_.size())].rank;
    return rank && !rank->dead ? rank : nullptr;
}

LinkRef Simulation::some_link() {
    const auto rank = some_rank();
    return rank ? rank->link() : nullptr;
}

/// True when it did something now; what was only prepared is counted when it happens.
bool Simulation::strike(Fault fault) {
    switch (fault) {
        case Fault::ConnectionBroken:
        case Fault::ConnectionHalfOpen:
            return strike_connection(fault);
        case Fault::PowerLost:
        case Fault::PowerLostAtWrite:
        case Fault::DiskFull:
        case Fault::CacheEvicted:
        case Fault::SecondCoordinator:
        case Fault::Resumed:
            return strike_run(fault);
        default:
            return strike_process(fault);
    }
}

bool Simulation::strike_connection(Fault fault) {
    const LinkRef link = some_link();
    if (!link || link->cut) return false;
    if (fault == Fault::ConnectionBroken) {
        network_.cut(link, world_.random.between(0, 200), world_.random.between(0, 200));
    } else if (world_.random.chance(0.5)) {
        network_.cut(link, world_.random.between(0, 200), 30'000);
    } else {
        network_.cut(link, 20'000, world_.random.between(0, 200));
    }
    return true;
}

bool Simulation::strike_process(Fault fault) {
    Random& random = world_.random;
    const bool of_coordinator = fault == Fault::CoordinatorKilled || fault == Fault::CoordinatorKilledAtWrite ||
                                ((fault == Fault::ClockForward || fault == Fault::ClockBackward) && random.chance(0.5));
    const auto rank = some_rank();
    const ProcessRef process = of_coordinator ? ProcessRef(coordinator_) : ProcessRef(rank);
    if (!process || process->dead) return false;
    switch (fault) {
        case Fault::RankKilled:
        case Fault::CoordinatorKilled:
            world_.kill(process);
            return true;
        case Fault::RankKilledAtWrite:
        case Fault::CoordinatorKilledAtWrite:
            arm_cut(process, fault, 6);
            return false;
        case Fault::ClockForward:
            process->clock_offset += random.between(100, 300'000);
            return true;
        case Fault::ClockBackward:
            process->clock_offset -= random.between(100, 300'000);
            return true;
        case Fault::RankPaused:
            rank->paused_until = world_.now() + random.between(500, 40'000);
            return true;
        case Fault::DeviceHung:
            rank->hang = true;
            return true;
        case Fault::Terminated:
            world_.as(rank, [&] { rank->terminate(); });
            return true;
        default:
            break;
    }
    // A zombie: the node was lost from sight, and another Pod takes its place.
    Slot& slot = slots_[static_cast<std::size_t>(rank->place().rank)];
    rank->zombie = true;
    rank->unreachable_until = world_.now() + random.between(0, 60'000);
    if (rank->link() && random.chance(0.7)) network_.cut(rank->link(), 500, 500);
    zombies_.push_back(rank);
    ++slot.attempt;
    slot.restart = 0;
    start_rank(static_cast<std::size_t>(rank->place().rank));
    return true;
}

bool Simulation::strike_run(Fault fault) {
    Random& random = world_.random;
    if (fault == Fault::PowerLost) {
        lose_power();
        return true;
    }
    if (fault == Fault::CacheEvicted) {
        disk_.evict();
        return true;
    }
    if (fault == Fault::DiskFull) {
        disk_.faults.space_left = random.below(3'000);
        world_.in(random.between(1'000, 30'000), nullptr, [this] { disk_.faults.space_left.reset(); });
        return false;
    }
    if (fault == Fault::PowerLostAtWrite) {
        const auto rank = some_rank();
        const ProcessRef process = random.chance(0.5) ? ProcessRef(coordinator_) : ProcessRef(rank);
        if (process && !process->dead) {
            arm_cut(process, fault, 6);
            process->cut_is_power = true;
        }
        return false;
    }
    if (coordinator_finished_) return false;
    if (fault == Fault::SecondCoordinator) {
        if (!coordinator_ || !coordinator_->listens()) return false;
        superseded_.push_back(coordinator_);
        start_coordinator();
        return true;
    }
    // Another run of the same evaluation, with as many ranks as there may be.
    auto slots = std::exchange(slots_, {});
    const auto coordinator = std::exchange(coordinator_, nullptr);
    ++run_contract_.number;
    run_contract_.ranks = static_cast<std::int32_t>(random.between(1, 4));
    slots_.resize(static_cast<std::size_t>(run_contract_.ranks));
    if (coordinator) world_.kill(coordinator);
    for (Slot& slot : slots) {
        if (!slot.rank) continue;
        if (random.chance(0.3)) {
            zombies_.push_back(slot.rank);
        } else {
            world_.kill(slot.rank);
        }
    }
    start_coordinator();
    for (std::size_t i = 0; i < slots_.size(); ++i) start_rank(i);
    return true;
}

void Simulation::arm_cut(const ProcessRef& process, Fault fault, unsigned most) {
    constexpr std::array cuts{Cut::Before, Cut::Half, Cut::After};
    process->cut_in = 1 + static_cast<unsigned>(world_.random.below(most));
    process->cut = cuts[world_.random.below(cuts.size())];
    process->cut_is_power = false;
    process->cut_name = name_of(fault);
}

void Simulation::arm_start(const ProcessRef& process, Kill::Who who, Fault fault, unsigned most) {
    if (on(fault) && world_.random.chance(0.5)) arm_cut(process, fault, most);
    if (on(Fault::PowerLostAtWrite) && world_.random.chance(0.3)) {
        arm_cut(process, Fault::PowerLostAtWrite, most);
        process->cut_is_power = true;
    }
    if (!plan_.kill || plan_.kill->who != who || std::exchange(kill_armed_[who], true)) return;
    process->cut_in = plan_.kill->at;
    process->cut = plan_.kill->cut;
    process->cut_is_power = plan_.kill->power;
    process->cut_name = name_of(fault);
}

void Simulation::lose_power() {
    world_.trace("the power is lost");
    for (const Slot& slot : std::vector(slots_))
        if (slot.rank) world_.kill(slot.rank);
    for (const auto& rank : std::vector(zombies_)) world_.kill(rank);
    for (const auto& coordinator : std::vector(superseded_)) world_.kill(coordinator);
    if (coordinator_) world_.kill(coordinator_);
    if (merge_) world_.kill(merge_);
    disk_.lose_power();
    world_.in(0, nullptr, [this] { check_recorded(); });
}

}  // namespace evaljob::simulation
