// A rank's process: the runner's own session state and shard log, around a model that is a formula and takes its time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "evaljob-runner/rank/rank_log.hpp"
#include "evaljob-runner/rank/session_state.hpp"
#include "tests/simulation/runner/job.hpp"
#include "tests/simulation/runner/ledger.hpp"
#include "tests/simulation/runner/network.hpp"

namespace evaljob::simulation {

/// What a rank asks of the simulation around it.
class RankSurroundings {
public:
    virtual ~RankSurroundings() = default;
    /// Whoever listens at the run's address; null: nobody.
    virtual std::shared_ptr<SimulatedCoordinator> coordinator_of(const RunContract& run) = 0;
    virtual Time compute_time(std::uint64_t batch) = 0;
    virtual void violated(const std::string& what) = 0;
    virtual bool survives(const std::string& path) = 0;
};

class SimulatedRank : public Process, public std::enable_shared_from_this<SimulatedRank> {
public:
    SimulatedRank(const std::string& name, World& world, Network& network, Ledger& ledger,
                  RankSurroundings& surroundings, const RunContract& run, const Hello& hello);

    void start();
    void hear(const LinkRef& link, const std::string& frame);
    void lost(const LinkRef& link);
    void terminate();  // SIGTERM

    const LinkRef& link() const { return link_; }
    void forget_link() { link_ = nullptr; }
    const RankContract& place() const { return hello_.contract; }

    const RunContract contract;
    bool sends = false;   // writers: Node0, and this is another node: its records are written by the coordinator
    bool zombie = false;  // a successor was started; nobody waits for this one
    Time unreachable_until = 0;
    bool hang = false;  // the next batch takes minutes

private:
    void connect();
    void beat();
    void wake();
    void open_log();
    void compute(const Lease& lease);
    EvaluatedLease evaluated(const Lease& lease, Time began) const;
    void write(const Lease& lease, Time began);
    void report(Report report);
    void settle(Time since);
    void finish();
    void say(const Message& message);
    void say_all(const std::vector<Message>& messages);
    bool stopped_by_signal() const;

    World& world_;
    Network& network_;
    Ledger& ledger_;
    RankSurroundings& surroundings_;
    Hello hello_;
    SessionState state_;
    LinkRef link_;
    Time pause_ = 50;
    Time last_contact_ = 0;
    std::optional<Manifest> manifest_;
    std::optional<RankLog> log_;
    bool busy_ = false;  // the thread that computes
    bool finishing_ = false;
};

}  // namespace evaljob::simulation
