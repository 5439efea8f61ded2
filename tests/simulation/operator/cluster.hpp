// The cluster around the operator: the API server in memory, the real Job controller, nodes whose Pods live and die at
// random, and the volume that the runners work on. One thread, virtual time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "local/job_controller.hpp"
#include "local/memory_api.hpp"
#include "operator/plan/plan.hpp"
#include "tests/simulation/operator/faults.hpp"

namespace evaljob::simulation {

inline constexpr const char* job_name = "demo";
inline constexpr const char* job_ns = "default";

/// What has truly happened to the Pods of one EvalJob, by its uid.
struct Ledger {
    int own_deaths = 0;   // crashed, deleted by a person, vanished: what a budget may count
    int disruptions = 0;  // evicted, or on a lost node: what a budget must not count, if they are seen
    int final_exits = 0;  // with a code that another try cannot mend
    std::int64_t first_run = 0;
};

class Cluster {
public:
    Cluster(std::uint64_t seed, Faults& faults, Random& random);

    local::MemoryApi& api() { return api_; }
    std::int64_t now() const { return now_; }
    void pass(std::int64_t seconds) { now_ += seconds; }

    /// Nodes and controllers go on as far as they can at this time.
    void step();

    /// What node 0's runner says, if it can be reached.
    std::optional<ProgressReport> report(const EvalJob& job);

    /// The EvalJob as it stands; null when there is none. Held by the caller, because writes replace it.
    local::ObjectPtr evaljob() const;
    const Ledger& ledger(const std::string& uid) { return ledgers_[uid]; }
    int live_pods() const;
    std::string live_pods_of_one_node() const;  // two that should not live beside each other; empty: none
    std::string mixed_group() const;            // two that run in different attempts of one EvalJob; empty: none

private:
    struct PodLife {
        std::int64_t starts = 0;   // when its containers run
        std::int64_t ends = 0;     // when the runner exits by itself, once it has nothing to do; 0: unknown
        std::int64_t leaves = 0;   // being deleted: when it has ended
        std::int64_t evicted = 0;  // on a lost node: when the cluster gives it up
        bool lost = false;         // its node does not answer any more
    };

    void live(const Json& pod, PodLife& life);
    void make_claim();
    void wait(const Json& pod, PodLife& life);
    void run(const Json& pod, PodLife& life);
    void run_merge(const Json& pod, PodLife& life);
    void leave(const Json& pod, PodLife& life);
    bool misfortune(const Json& pod, PodLife& life);  // whether one happened
    void exit(const Json& pod, int code, const std::string& message = "");
    void patch(const Json& pod, const Json& status);
    void work();
    bool peers_run(const Json& pod) const;
    bool peer_has_failed(const Json& pod) const;
    Ledger& ledger_of(const Json& pod);
    std::string skewed_time();

    Faults& faults_;
    Random& random_;
    std::int64_t now_ = 1'800'000'000;
    std::int64_t skew_ = 0;  // of the API server's and the nodes' clocks
    local::MemoryApi api_;
    local::JobController jobs_;
    std::int64_t claim_at_;                 // when a person makes the claim that EvalJobs name
    bool peers_notice_;                     // whether a custom image ends when a peer has failed, or hangs
    std::map<std::string, PodLife> lives_;  // by uid
    std::map<std::string, Ledger> ledgers_;
    std::map<std::string, std::map<std::int32_t, std::set<std::int32_t>>> succeeded_;  // job → attempt → nodes
    std::int64_t samples_done_ = 0;  // on the volume, which outlives the EvalJob
    std::int64_t worked_at_ = 0;
    std::int64_t idle_since_ = 0;
    std::int64_t hangs_until_ = 0;
};

inline constexpr std::int64_t samples_total = 60;

}  // namespace evaljob::simulation
