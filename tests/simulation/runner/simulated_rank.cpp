#include "tests/simulation/runner/simulated_rank.hpp"

#include <algorithm>

#include "api/exit_code.hpp"
#include "evaljob-runner/launch/exit_status.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"
#include "tests/simulation/runner/simulated_coordinator.hpp"

namespace evaljob::simulation {

namespace {

constexpr Time longest_pause = 1'000;
constexpr Time ready_timeout = 600'000;
constexpr Time heartbeat = 2'000;
constexpr Time farewell = 3'000;

}  // namespace

SimulatedRank::SimulatedRank(const std::string& name, World& world, Network& network, Ledger& ledger,
                             RankSurroundings& surroundings, const RunContract& run, const Hello& hello)
    : Process(name),
      contract(run),
      world_(world),
      network_(network),
      ledger_(ledger),
      surroundings_(surroundings),
      hello_(hello),
      loop_(hello) {}

void SimulatedRank::start() {
    last_contact_ = world_.now();
    connect();
    world_.in(heartbeat, shared_from_this(), [this] { beat(); });
}

// The connection.

bool SimulatedRank::stopped_by_signal() const { return loop_.session().ended()->exit_code == exit_code::terminated; }

void SimulatedRank::connect() {
    if (dead || (loop_.session().ended() && !stopped_by_signal())) return;
    if (!sends && is_done(shared_folder, contract.id())) return carry_out(loop_.end({exit_code::success, ""}), true);
    const auto coordinator = surroundings_.coordinator_of(contract);
    if (coordinator && world_.now() >= unreachable_until) {
        link_ = network_.connect(shared_from_this(), coordinator);
        pause_ = 50;
        return say(loop_.greeting());
    }
    if (world_.now() - last_contact_ > ready_timeout)
        return carry_out(loop_.end({exit_code::unavailable, "no coordinator"}), true);
    world_.in(pause_, shared_from_this(), [this] { connect(); });
    pause_ = std::min(pause_ * 2, longest_pause);
}

void SimulatedRank::beat() {
    say(Heartbeat{});
    world_.in(heartbeat, shared_from_this(), [this] { beat(); });
}

void SimulatedRank::hear(const LinkRef& link, const std::string& frame) {
    if (link != link_) return;
    if (world_.traced()) world_.trace(name + " hears: " + frame);
    const auto message = decode_message(frame);
    if (!message) return surroundings_.violated(name + " cannot read " + frame);
    carry_out(loop_.heard(*message), true);
    if (dead || !loop_.session().ended() || stopped_by_signal()) return;
    network_.cut(link_, 0, 1);
    link_ = nullptr;
    loop_.disconnected();
}

void SimulatedRank::lost(const LinkRef& link) {
    link->cut = true;
    if (link != link_) return;
    link_ = nullptr;
    loop_.disconnected();
    last_contact_ = world_.now();
    if (!loop_.session().ended() || stopped_by_signal()) connect();
}

void SimulatedRank::terminate() {
    if (!loop_.session().ended()) carry_out(loop_.leave(), true);
}

void SimulatedRank::speak() {
    std::size_t reported = 0;
    for (const Message& message : loop_.messages()) {
        check_said(message);
        const bool reports = std::holds_alternative<Done>(message);
        if (reports && reported++ == 1 && surroundings_.dies_between_reports()) return world_.kill(shared_from_this());
        say(message);
    }
}

void SimulatedRank::check_said(const Message& message) {
    if (const auto* back = std::get_if<Return>(&message)) given_back_.insert(back->lease);
    const auto* done = std::get_if<Done>(&message);
    if (done != nullptr && !durable_.contains(done->lease))
        surroundings_.violated(name + " reports batch " + std::to_string(done->batch) +
                               " done, but has not made its records durable");
}

void SimulatedRank::say(const Message& message) {
    if (link_) network_.say_up(link_, message);
}

/// Whoever holds the connection speaks at once; the others wake him.
void SimulatedRank::carry_out(RankEffects effects, bool by_connection) {
    for (RankEffect& effect : effects) {
        if (std::holds_alternative<Superfluous>(effect)) return world_.exit(shared_from_this(), exit_code::success);
        if (const auto* next = std::get_if<Prepare>(&effect)) prepare(next->lease);
        if (auto* group = std::get_if<WriteRecords>(&effect)) write(std::move(group->leases));
        if (const auto* next = std::get_if<EngineStep>(&effect)) {
            if (std::holds_alternative<BeginBatch>(*next) && loop_.session().ended())
                surroundings_.violated(name + " begins another batch, though it has been told to end");
            world_.in(0, shared_from_this(), [this, next = *next] { step(next); });
        }
        if (!std::holds_alternative<Speak>(effect)) continue;
        if (by_connection) {
            speak();
        } else if (!std::exchange(will_speak_, true)) {
            world_.in(world_.random.chance(0.05) ? world_.random.between(0, 100) : 0, shared_from_this(), [this] {
                will_speak_ = false;
                speak();
            });
        }
        if (dead) return;
    }
    wake();
}

/// The log is opened once the rank is welcome; who is refused before has nothing to stop.
void SimulatedRank::wake() {
    const SessionState& session = loop_.session();
    if (log_ || opening_) return;
    if (session.ended()) return world_.exit(shared_from_this(), session.ended()->exit_code);
    if (!session.welcome()) return;
    opening_ = true;
    world_.in(world_.random.between(5, 300), shared_from_this(), [this] { open_log(); });
}

void SimulatedRank::open_log() {
    const std::string identity = loop_.session().welcome()->identity;
    const auto text = read_file(layout::manifest(shared_folder), layout::max_manifest_bytes);
    if (dead) return;
    auto decoded = text ? decode_manifest(*text) : fail(text.error().reason, text.error().message);
    if (!decoded || decoded->identity != identity)
        return surroundings_.violated(name + ": was welcomed, but there is no manifest of that identity");
    manifest_ = std::move(decoded->manifest);
    ShardHeader header;
    header.identity = identity;
    header.device = "cpu";
    header.library = "a formula";
    header.opened_us = (world_.now() + clock_offset) * 1'000;
    if (sends) {
        ShardEncoder log(complete_header(hello_.contract, header));
        loop_.log_begins_with(log.take());
        log_.emplace(std::move(log));
    } else {
        auto log = create_rank_log(hello_.contract, header);
        if (dead) return;
        if (!log) return world_.exit(shared_from_this(), exit_status_of(log.error()));
        log_.emplace(std::move(*log));
    }
    batches_at_once_ = surroundings_.batches_at_once();
    carry_out(loop_.ready(batches_at_once_), false);
}

// The engine, and whoever prepares for it.

void SimulatedRank::prepare(const Lease& lease) {
    preparer_is_free_ = std::max(preparer_is_free_, world_.now()) + world_.random.between(0, 5);
    prepared_[lease.number] = preparer_is_free_;
}

void SimulatedRank::step(const EngineStep& step) {
    if (const auto* next = std::get_if<BeginBatch>(&step)) return begin(next->lease);
    if (const auto* last = std::get_if<StopWork>(&step)) return stop(last->end);
    await();
}

void SimulatedRank::begin(const Lease& lease) {
    const std::string which = "batch " + std::to_string(lease.batch);
    if (computing_.size() >= batches_at_once_)
        surroundings_.violated(name + " begins " + which + ", but its engine has no room");
    if (!begun_.insert(lease.number).second) surroundings_.violated(name + " begins " + which + " again");
    if (given_back_.contains(lease.number)) surroundings_.violated(name + " begins " + which + ", given back before");
    const auto it = prepared_.find(lease.number);
    const Time ready = it == prepared_.end() ? world_.now() : it->second;
    world_.in(std::max<Time>(0, ready - world_.now()), shared_from_this(), [this, lease] {
        Time takes = surroundings_.compute_time();
        if (std::exchange(hang, false)) takes += world_.random.between(60'000, 400'000);
        computing_[lease.number] = {lease, world_.now(), world_.now() + takes};
        carry_out(loop_.begun(), false);
    });
}

void SimulatedRank::await() {
    const auto first = std::min_element(computing_.begin(), computing_.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second.ends, a.first) < std::pair(b.second.ends, b.first);
    });
    if (first == computing_.end()) return surroundings_.violated(name + " waits for a batch, and none was begun");
    world_.in(std::max<Time>(0, first->second.ends - world_.now()), shared_from_this(),
              [this, computing = first->second] { computed(computing); });
}

void SimulatedRank::computed(const Computing& computing) {
    computing_.erase(computing.lease.number);
    ++not_durable_;
    batches_at_once_ = surroundings_.batches_at_once();
    carry_out(loop_.computed({computing.lease, records_of(*manifest_, computing.lease),
                              (computing.began + clock_offset) * 1'000, (world_.now() - computing.began) * 1'000},
                             batches_at_once_),
              false);
    if (!dead && loop_.gathered() > 0 && not_durable_ > loop_.gathered()) surroundings_.has_gathered();
}

void SimulatedRank::stop(const Result<SessionEnd>& end) {
    if (!end) {
        world_.trace(name + ": " + end.error().message);
        return world_.exit(shared_from_this(), exit_status_of(end.error()));
    }
    if (not_durable_ > 0)
        surroundings_.violated(name + " stops, and " + std::to_string(not_durable_) +
                               " batches that it has computed are not durable");
    const SessionState& session = loop_.session();
    if (session.held().size() > session.lease_counts().at_hand)
        surroundings_.violated(name + " stops, and has not reported what it has computed");
    settle(world_.now());
}

/// Waits for acknowledgements, but not for ever.
void SimulatedRank::settle(Time since) {
    if (loop_.session().settled() || world_.now() - since >= farewell) return finish();
    world_.in(50, shared_from_this(), [this, since] { settle(since); });
}

void SimulatedRank::finish() {
    if (auto* own = std::get_if<ShardWriter>(&*log_)) {
        const auto closed = own->close();
        if (dead) return;
        if (!closed) world_.trace(name + ": " + closed.error().message);
    }
    world_.exit(shared_from_this(), loop_.session().ended()->exit_code);
}

// The log.

/// It may die while the group waits for the disk, inside, and when it is durable and nobody knows yet.
void SimulatedRank::write(std::vector<EvaluatedLease> group) {
    world_.in(surroundings_.write_time(), shared_from_this(),
              [this, group = std::move(group)] { make_durable(group); });
}

void SimulatedRank::make_durable(const std::vector<EvaluatedLease>& group) {
    for (const EvaluatedLease& evaluated : group) ledger_.evaluated(evaluated.lease);
    auto reports = record_leases(group, *log_);
    if (dead) return;
    if (!reports) {
        not_durable_ = 0;
        return carry_out(loop_.write_failed(reports.error()), false);
    }
    not_durable_ -= group.size();
    // writers: Node0: else the coordinator makes it durable.
    const auto* own = std::get_if<ShardWriter>(&*log_);
    for (const EvaluatedLease& evaluated : group) {
        durable_.insert(evaluated.lease.number);
        if (own == nullptr) continue;
        if (!surroundings_.survives(own->path()))
            surroundings_.violated(name + " counts batch " + std::to_string(evaluated.lease.batch) +
                                   " as durable, but a loss of power would lose its records");
        ledger_.recorded(evaluated.lease);
    }
    world_.in(world_.random.chance(0.1) ? world_.random.between(0, 500) : 0, shared_from_this(),
              [this, reports = std::move(*reports)] { carry_out(loop_.written(reports), false); });
}

}  // namespace evaljob::simulation
