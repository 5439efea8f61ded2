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
constexpr std::uint32_t leases = 2;

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
      state_(hello, leases) {}

void SimulatedRank::start() {
    last_contact_ = world_.now();
    connect();
    world_.in(heartbeat, shared_from_this(), [this] { beat(); });
}

bool SimulatedRank::stopped_by_signal() const { return state_.ended()->exit_code == exit_code::terminated; }

void SimulatedRank::connect() {
    if (dead || (state_.ended() && !stopped_by_signal())) return;
    if (!sends && is_done(shared_folder, contract.id())) {
        state_.end({exit_code::success, ""});
        return wake();
    }
    const auto coordinator = surroundings_.coordinator_of(contract);
    if (coordinator && world_.now() >= unreachable_until) {
        link_ = network_.connect(shared_from_this(), coordinator);
        pause_ = 50;
        return say(state_.greeting());
    }
    if (world_.now() - last_contact_ > ready_timeout) {
        state_.end({exit_code::unavailable, "no coordinator"});
        return wake();
    }
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
    say_all(state_.take(*message));
    if (state_.is_superfluous()) return world_.exit(shared_from_this(), exit_code::success);
    if (state_.ended() && !stopped_by_signal()) {
        network_.cut(link_, 0, 1);
        link_ = nullptr;
        state_.disconnected();
    }
    wake();
}

void SimulatedRank::lost(const LinkRef& link) {
    link->cut = true;
    if (link != link_) return;
    link_ = nullptr;
    state_.disconnected();
    last_contact_ = world_.now();
    wake();
    if (!state_.ended() || stopped_by_signal()) connect();
}

void SimulatedRank::terminate() {
    if (state_.ended()) return;
    say_all(state_.leave());
    wake();
}

/// What the thread that computes does next.
void SimulatedRank::wake() {
    if (busy_ || dead) return;
    if (state_.ended()) return settle(world_.now());
    if (!state_.welcome()) return;
    if (!log_) {
        busy_ = true;
        return world_.in(world_.random.between(5, 300), shared_from_this(), [this] { open_log(); });
    }
    if (const auto lease = state_.next_lease()) compute(*lease);
}

void SimulatedRank::open_log() {
    busy_ = false;
    const auto text = read_file(layout::manifest(shared_folder), layout::max_manifest_bytes);
    if (dead) return;
    auto decoded = text ? decode_manifest(*text) : fail(text.error().reason, text.error().message);
    if (!decoded || decoded->identity != state_.welcome()->identity)
        return surroundings_.violated(name + ": was welcomed, but there is no manifest of that identity");
    manifest_ = std::move(decoded->manifest);
    ShardHeader header;
    header.identity = state_.welcome()->identity;
    header.device = "cpu";
    header.library = "a formula";
    header.opened_us = (world_.now() + clock_offset) * 1'000;
    if (sends) {
        ShardEncoder log(complete_header(hello_.contract, header));
        state_.log_begins_with(log.take());
        log_.emplace(std::move(log));
        return wake();
    }
    auto log = create_rank_log(hello_.contract, header);
    if (dead) return;
    if (!log) return world_.exit(shared_from_this(), exit_status_of(log.error()));
    log_.emplace(std::move(*log));
    wake();
}

void SimulatedRank::compute(const Lease& lease) {
    busy_ = true;
    Time takes = surroundings_.compute_time(lease.batch);
    if (hang) takes += world_.random.between(60'000, 400'000);
    hang = false;
    world_.in(takes, shared_from_this(), [this, lease, began = world_.now()] { write(lease, began); });
}

EvaluatedLease SimulatedRank::evaluated(const Lease& lease, Time began) const {
    return {lease, records_of(*manifest_, lease), (began + clock_offset) * 1'000, (world_.now() - began) * 1'000};
}

void SimulatedRank::write(const Lease& lease, Time began) {
    ledger_.evaluated(lease);
    auto reports = record_leases({evaluated(lease, began)}, *log_);
    if (dead) return;
    if (!reports) {
        world_.trace(name + ": " + reports.error().message);
        return world_.exit(shared_from_this(), exit_status_of(reports.error()));
    }
    // writers: Node0: else the coordinator makes it durable.
    if (const auto* own = std::get_if<ShardWriter>(&*log_)) {
        if (!surroundings_.survives(own->path()))
            surroundings_.violated(name + " reports batch " + std::to_string(lease.batch) +
                                   " done, but a loss of power would lose its records");
        ledger_.recorded(lease);
    }
    report(std::move(reports->front()));
}

void SimulatedRank::report(Report report) {
    state_.done(std::move(report));
    say_all(state_.unsaid());
    busy_ = false;
    wake();
}

/// Waits for acknowledgements, but not for ever.
void SimulatedRank::settle(Time since) {
    if (!state_.settled() && world_.now() - since < farewell) {
        busy_ = true;
        return world_.in(50, shared_from_this(), [this, since] {
            busy_ = false;
            settle(since);
        });
    }
    if (!finishing_) finish();
}

void SimulatedRank::finish() {
    finishing_ = true;
    if (auto* own = log_ ? std::get_if<ShardWriter>(&*log_) : nullptr) {
        const auto closed = own->close();
        if (dead) return;
        if (!closed) world_.trace(name + ": " + closed.error().message);
    }
    world_.exit(shared_from_this(), state_.ended()->exit_code);
}

void SimulatedRank::say(const Message& message) {
    if (link_) network_.say_up(link_, message);
}

void SimulatedRank::say_all(const std::vector<Message>& messages) {
    for (const Message& message : messages) say(message);
}

}  // namespace evaljob::simulation
