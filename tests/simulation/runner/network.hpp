// Connections between ranks and coordinators: in order, late, and cut at any moment, perhaps without a word to one
// side.
#pragma once

#include <memory>
#include <string>

#include "evaljob-runner/coordinator/coordinator.hpp"
#include "tests/simulation/runner/world.hpp"

namespace evaljob::simulation {

class SimulatedRank;
class SimulatedCoordinator;

struct Link {
    std::shared_ptr<SimulatedRank> rank;
    std::shared_ptr<SimulatedCoordinator> coordinator;
    SessionId session = 0;
    bool cut = false;  // what is on the way is lost
    Time last_up = 0;  // when the last message sent arrives
    Time last_down = 0;
};
using LinkRef = std::shared_ptr<Link>;

class Network {
public:
    explicit Network(World& world) : world_(world) {}

    double delay = 0;   // chance that a message takes seconds
    double repeat = 0;  // chance that it arrives twice

    LinkRef connect(const std::shared_ptr<SimulatedRank>& rank,
                    const std::shared_ptr<SimulatedCoordinator>& coordinator);
    void say_up(const LinkRef& link, const Message& message);
    void say_down(const LinkRef& link, const Message& message);
    /// Each side notices after so long.
    void cut(const LinkRef& link, Time rank_notices, Time coordinator_notices);
    /// The coordinator closes it, once what it has said has arrived.
    void close_down(const LinkRef& link);

    /// The rank is gone; what it has said arrives first.
    void close_up(const LinkRef& link);

private:
    Time arrival(Time& last);
    bool twice(const Message& message);

    World& world_;
    SessionId next_session_ = 1;
};

}  // namespace evaljob::simulation
