// A world of one job, small enough to see through: plans are applied to it, its Pods live and die as the test says.
// A plan is asserted as one line: "actions | events | status word".
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "operator/plan/plan.hpp"

namespace evaljob::testing {

class World {
public:
    explicit World(EvalJob job);

    /// Where Pods share a claim, and templates may not use everything; `found`: what is read of the claim.
    void join_cluster(ClaimView found);

    // What happens by itself.
    void run_pods();                                                          // every waiting Pod starts
    void run_pod(std::int32_t node);                                          // this one does
    void exit(std::int32_t node, int code, const std::string& message = "");  // the node's runner ends
    void exit_all(int code);
    void exit_beside_server(std::int32_t node, int code);  // the runner ends, a server beside it goes on
    void begin_deletion(std::int32_t node);                // someone deletes the Pod; it has yet to end
    void evict(std::int32_t node);                         // the same, as the cluster does it
    void end_evicted(std::int32_t node);                   // it ends with the signal's exit code, and stays to be seen
    void vanish(std::int32_t node);                        // the Pod is gone
    void finish_deletions();                               // Pods being deleted are gone
    void finish_merge(const std::string& report);          // the merge Pod exits 0
    void fail_merge(int code, const std::string& message);
    void report(std::int64_t done, std::int64_t total, bool rendezvous_ready);
    void pass(UnixSeconds seconds) { now += seconds; }

    /// One plan, applied. Checks what must hold of every plan.
    Plan step();
    /// Plans until one changes nothing; fails the test when there are more than ten.
    void settle();

    Observed observed;
    UnixSeconds now = 1'800'000'000;
    Settings settings;
    ClaimView claim;               // as it would be read
    std::set<std::string> served;  // of the APIs of gangs
    int claim_reads = 0;
    std::vector<std::string> secrets;  // names of those that were made

    static constexpr UnixSeconds grace_seconds = 30;

private:
    PodView* current(std::int32_t node);
    void apply(const Action& action);
    void make_secret();
    void check_secret(const Json& pod_spec, const EvalJobStatus& status) const;
    void check(const Plan& plan) const;
};

/// "Service, +demo-0-0, -demo-1-0, Merge | NodesCreated | Starting 0/2"
std::string line(const Plan& plan);

}  // namespace evaljob::testing
