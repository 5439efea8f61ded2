// One seed: an EvalJob, its user, one operator or two, and the cluster, all under the seed's faults; then calm. What
// must hold is checked after every step, and the end against the undisturbed one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "operator/controller.hpp"
#include "tests/simulation/operator/cluster.hpp"
#include "tests/simulation/operator/flaky_transport.hpp"
#include "tests/simulation/seeds.hpp"

namespace evaljob::simulation {

class Simulation {
public:
    /// `undisturbed`: no fault at all. `traced`: says what happens on standard output.
    explicit Simulation(std::uint64_t seed, bool undisturbed = false, bool traced = false);

    SeedResult run();

private:
    struct Operator {
        std::unique_ptr<FlakyTransport> transport;
        std::unique_ptr<Controller> controller;
        std::int64_t paused_until = 0;
    };
    /// What was last known of an EvalJob, by its uid.
    struct Seen {
        Json end;  // its status when it first had one that is terminal
        std::int64_t created = 0;
        int max_restarts = 0;  // the highest that it ever had
    };

    void create_job();
    Json spec() const;
    void start(Operator& one);
    void pump(Operator& one);
    void meanwhile(const Operator& of);
    void step();
    void act_as_user();
    void update_spec(const Json& change, bool valid);
    void calm_down();
    void check();
    void check_end(const Json& job);
    void check_terminal(const Json& job, Seen& seen);
    void check_failure(const Json& job, const Seen& seen);
    std::int64_t most_restarts(const std::string& uid);
    void require(bool holds, const std::string& what);
    void trace();
    void tell(const std::string& what) const;

    std::uint64_t seed_;
    Random random_;
    Faults faults_;
    Cluster cluster_;
    bool traced_;
    Json spec_;
    std::map<std::string, Seen> seen_;
    std::vector<Operator> operators_;
    bool nested_ = false;
    bool calm_ = false;
    std::string failure_;
    std::string traced_state_;
};

}  // namespace evaljob::simulation
