#include "tests/simulation/runner/simulated_coordinator.hpp"

#include "evaljob-runner/launch/exit_status.hpp"
#include "tests/simulation/runner/simulated_rank.hpp"

namespace evaljob::simulation {

void SimulatedCoordinator::start(const Manifest& manifest) {
    CoordinatorOptions options;
    options.token = contract.token();
    options.expected = {contract.id(), contract.ranks, 1, "cpu"};
    const std::uint64_t mark = ledger_.mark();
    auto self = shared_from_this();
    auto run = CoordinatorRun::open(
        manifest, shared_folder, options,
        {[this](SessionId session, const Message& message) { say(session, message); },
         [this](SessionId session) { close(session); },
         [this](int code, const std::string& why) {
             world_.trace(name + ": ends the job with " + std::to_string(code) + ": " + why);
             // Those it refuses are told first.
             world_.in(100, shared_from_this(), [this, code] { world_.exit(shared_from_this(), code); });
         },
         [this] { world_.exit(shared_from_this(), 0); },
         [this] { world_.in(world_.random.between(0, 20), shared_from_this(), [this] { run_->commit(clock()); }); }});
    if (dead) return;
    if (!run) {
        world_.trace(name + ": " + run.error().message);
        return world_.exit(self, exit_status_of(run.error()));
    }
    run_ = std::move(*run);
    epoch_ = run_->epoch();
    ledger_.began(epoch_);
    ledger_.read_logs(epoch_, mark);
    world_.trace(name + ": epoch " + std::to_string(epoch_) + ", resumes " +
                 std::to_string(run_->progress(clock()).samples_resumed) + " samples");
    run_->start(clock());
    world_.in(500, self, [this] { tick(); });
}

void SimulatedCoordinator::tick() {
    ledger_.ticked(epoch_, clock());
    run_->tick(clock());
    world_.in(500, shared_from_this(), [this] { tick(); });
}

void SimulatedCoordinator::hear(const LinkRef& link, const std::string& frame) {
    if (!links_.contains(link->session)) return;
    const auto message = decode_message(frame);
    if (!message) return lost(link);
    if (world_.traced()) world_.trace(name + " hears of session " + std::to_string(link->session) + ": " + frame);
    if (const auto* hello = std::get_if<Hello>(&*message)) greetings_[link->session] = hello->held;
    if (const auto* done = std::get_if<Done>(&*message)) reported_[done->lease] = *done;
    if (const auto* want = std::get_if<Want>(&*message)) {
        run_->commit(clock());  // as message() does first: what was reported before makes room by what was wanted then
        if (dead) return;
        ledger_.wanted(link->session, want->leases);
    }
    if (const auto* returned = std::get_if<Return>(&*message)) ledger_.returned(returned->lease);
    run_->message(link->session, *message, clock());
}

void SimulatedCoordinator::lost(const LinkRef& link) {
    link->cut = true;
    if (links_.erase(link->session) == 0) return;
    give_up(link->session);
    if (run_) run_->disconnected(link->session, clock());
}

void SimulatedCoordinator::say(SessionId session, const Message& message) {
    const auto it = links_.find(session);
    if (std::holds_alternative<Welcome>(message)) {
        ledger_.adopted(epoch_, session, greetings_[session], clock());
        greetings_.erase(session);
        // A successor takes its rank's place: what the one before held is free.
        const std::int32_t rank = links_.at(session)->rank->place().rank;
        for (const auto& [other, link] : links_)
            if (other != session && link->rank->place().rank == rank) give_up(other);
        welcomed_.insert(session);
    }
    if (const auto* ack = std::get_if<Ack>(&message)) acknowledge(ack->lease);
    if (const auto* lease = std::get_if<Lease>(&message)) {
        ledger_.granted(epoch_, session, *lease, clock());
        // What it had reported counts before its connection is given up, and then makes room for one more.
        if (!welcomed_.contains(session)) ledger_.released(epoch_, session);
    }
    if (it != links_.end()) network_.say_down(it->second, message);
}

/// What was reported counts from now on: before it may have waited for a write.
void SimulatedCoordinator::acknowledge(LeaseNumber lease) {
    const auto found = reported_.find(lease);
    if (found == reported_.end()) return;
    ledger_.done_heard(epoch_, found->second, clock());
    ledger_.recorded({lease, found->second.batch});
    reported_.erase(found);
}

void SimulatedCoordinator::close(SessionId session) {
    give_up(session);
    if (const auto it = links_.find(session); it != links_.end()) network_.close_down(it->second);
}

void SimulatedCoordinator::give_up(SessionId session) {
    welcomed_.erase(session);
    ledger_.released(epoch_, session);
}

}  // namespace evaljob::simulation
