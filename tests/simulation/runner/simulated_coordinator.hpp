// A coordinator's process: the runner's own CoordinatorRun, on simulated connections, clock and disk.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "evaljob-runner/launch/coordinator_run.hpp"
#include "tests/simulation/runner/job.hpp"
#include "tests/simulation/runner/ledger.hpp"
#include "tests/simulation/runner/network.hpp"

namespace evaljob::simulation {

class SimulatedCoordinator : public Process, public std::enable_shared_from_this<SimulatedCoordinator> {
public:
    SimulatedCoordinator(const std::string& name, World& world, Network& network, Ledger& ledger, RunContract run)
        : Process(name), contract(std::move(run)), world_(world), network_(network), ledger_(ledger) {}

    void start(const Manifest& manifest);
    bool listens() const { return run_ != nullptr && !dead; }

    void accept(const LinkRef& link) { links_[link->session] = link; }
    void hear(const LinkRef& link, const std::string& frame);
    void lost(const LinkRef& link);
    std::map<SessionId, LinkRef>& links() { return links_; }
    std::uint32_t epoch() const { return epoch_; }

    const RunContract contract;

private:
    Milliseconds clock() const { return 1'000'000 + world_.now() + clock_offset; }
    void say(SessionId session, const Message& message);
    void close(SessionId session);
    void acknowledge(LeaseNumber lease);
    void give_up(SessionId session);
    void tick();

    World& world_;
    Network& network_;
    Ledger& ledger_;
    std::uint32_t epoch_ = 0;
    std::unique_ptr<CoordinatorRun> run_;
    std::map<SessionId, LinkRef> links_;
    std::map<SessionId, std::vector<HeldLease>> greetings_;  // not welcomed yet
    std::set<SessionId> welcomed_;
    std::map<LeaseNumber, Done> reported_;  // and not acknowledged
};

}  // namespace evaljob::simulation
