#include "tests/simulation/runner/network.hpp"

#include <algorithm>

#include "tests/simulation/runner/faults.hpp"
#include "tests/simulation/runner/simulated_coordinator.hpp"
#include "tests/simulation/runner/simulated_rank.hpp"

namespace evaljob::simulation {

LinkRef Network::connect(const std::shared_ptr<SimulatedRank>& rank,
                         const std::shared_ptr<SimulatedCoordinator>& coordinator) {
    auto link = std::make_shared<Link>(Link{rank, coordinator, next_session_++, false, 0, 0});
    coordinator->accept(link);
    return link;
}

Time Network::arrival(Time& last) {
    Time takes = world_.random.between(1, 20);
    if (world_.random.chance(delay)) {
        world_.fault(name_of(Fault::MessagesDelayed));
        takes = world_.random.between(1'000, 8'000);
    }
    last = std::max(last + 1, world_.now() + takes);
    return last - world_.now();
}

/// What either side must bear to hear again, because it may be said again on a new connection.
bool Network::twice(const Message& message) {
    const bool bearable = std::holds_alternative<Done>(message) || std::holds_alternative<Want>(message) ||
                          std::holds_alternative<Ack>(message) || std::holds_alternative<Heartbeat>(message);
    if (!bearable || !world_.random.chance(repeat)) return false;
    world_.fault(name_of(Fault::MessageRepeated));
    return true;
}

void Network::say_up(const LinkRef& link, const Message& message) {
    for (int i = twice(message) ? 2 : 1; i > 0; --i) {
        world_.in(arrival(link->last_up), link->coordinator, [link, frame = encode_message(message)] {
            if (!link->cut) link->coordinator->hear(link, frame);
        });
    }
}

void Network::say_down(const LinkRef& link, const Message& message) {
    for (int i = twice(message) ? 2 : 1; i > 0; --i) {
        world_.in(arrival(link->last_down), link->rank, [link, frame = encode_message(message)] {
            if (!link->cut) link->rank->hear(link, frame);
        });
    }
}

void Network::cut(const LinkRef& link, Time rank_notices, Time coordinator_notices) {
    link->cut = true;
    world_.in(rank_notices, link->rank, [link] { link->rank->lost(link); });
    world_.in(coordinator_notices, link->coordinator, [link] { link->coordinator->lost(link); });
}

void Network::close_down(const LinkRef& link) {
    world_.in(arrival(link->last_down), link->rank, [link] { link->rank->lost(link); });
    world_.in(arrival(link->last_up), link->coordinator, [link] { link->coordinator->lost(link); });
}

void Network::close_up(const LinkRef& link) {
    world_.in(arrival(link->last_up), link->coordinator, [link] { link->coordinator->lost(link); });
}

}  // namespace evaljob::simulation
