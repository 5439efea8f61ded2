// A rank's process: the runner's own loop, session state and shard log. Simulated are its hands: a connection, a model
// that is a formula and takes its time, one who prepares batches, and one who writes to a disk that may be slow.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "evaljob-runner/rank/rank_log.hpp"
#include "evaljob-runner/rank/rank_loop.hpp"
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
    /// Of an engine; may change.
    virtual std::size_t batches_at_once() = 0;
    virtual Time compute_time() = 0;
    /// How long a group waits for the disk.
    virtual Time write_time() = 0;
    /// It has reported one of several that became durable together: is it killed now?
    virtual bool dies_between_reports() = 0;
    /// A group is being written, and others have gathered behind it.
    virtual void has_gathered() = 0;
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
    struct Computing {
        Lease lease;
        Time began = 0;
        Time ends = 0;
    };

    // The connection.
    void connect();
    void beat();
    void speak();
    void check_said(const Message& message);
    void say(const Message& message);
    bool stopped_by_signal() const;

    void carry_out(RankEffects effects, bool by_connection);
    void wake();
    void open_log();

    // The engine, and whoever prepares for it.
    void prepare(const Lease& lease);
    void step(const EngineStep& step);
    void begin(const Lease& lease);
    void await();
    void computed(const Computing& computing);
    void stop(const Result<SessionEnd>& end);
    void settle(Time since);
    void finish();

    // The log.
    void write(std::vector<EvaluatedLease> group);
    void make_durable(const std::vector<EvaluatedLease>& group);

    World& world_;
    Network& network_;
    Ledger& ledger_;
    RankSurroundings& surroundings_;
    Hello hello_;
    RankLoop loop_;
    LinkRef link_;
    Time pause_ = 50;
    Time last_contact_ = 0;
    bool will_speak_ = false;
    std::optional<Manifest> manifest_;
    std::optional<RankLog> log_;
    bool opening_ = false;
    std::size_t batches_at_once_ = 1;  // as the loop was told last
    Time preparer_is_free_ = 0;
    std::map<LeaseNumber, Time> prepared_;  // when
    std::map<LeaseNumber, Computing> computing_;
    std::set<LeaseNumber> begun_;  // ever
    std::set<LeaseNumber> given_back_;
    std::set<LeaseNumber> durable_;
    std::size_t not_durable_ = 0;  // evaluated
};

}  // namespace evaljob::simulation
