// Observe → plan → apply, for one job at a time, over a Transport.
// Thread rule: at most one reconcile per job at a time; requests are sent one after the other, and each is waited for.
// What reconciles share is the list of served APIs, behind a mutex.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operator/kube/transport.hpp"
#include "operator/plan/plan.hpp"

namespace evaljob {

using Clock = std::function<UnixSeconds()>;

/// An object as the API server answered it: what the stores should know at once.
struct Written {
    kube::Resource resource;
    Json object;
};

struct Reconciled {
    bool changed = false;  // something was written or deleted
    std::optional<std::chrono::seconds> look_again;
    bool waits = false;  // a lesser change of status was not written, for more to come
    std::vector<Written> written;
    std::optional<Error> error;  // the first failure: the rest of the plan was not applied; look at the job again
};

class Reconciler {
public:
    Reconciler(kube::Transport& transport, Settings settings, Clock clock);

    Reconciled reconcile(const Observed& observed);

    /// Says in status why the EvalJob is refused (by parse_evaljob). `status` is the one it has.
    Reconciled refuse(const ObjectMeta& meta, const Json& status, const Error& error);

private:
    /// The obstacle that a create met, when it is one that planning again must know of.
    struct Applied {
        std::optional<Obstacle> obstacle;
        std::optional<Error> error;
    };

    enum class Next { Rest, PlanAgain };

    Next ask(const Plan& plan, Observed& observed, Reconciled& reconciled);
    std::optional<Error> read_claim(Observed& observed);
    std::optional<Error> read_apis(Observed& observed);
    Result<std::set<std::string>> served_apis();
    std::optional<Error> make_run_secret(Observed& observed);
    Next confirm(const Plan& plan, Observed& observed, Reconciled& reconciled);
    Next apply(const Plan& plan, Observed& observed, Reconciled& reconciled);
    bool is_unchanged(const ObjectMeta& meta, Reconciled& reconciled);
    Applied apply(const EvalJob& job, const Action& action, Reconciled& reconciled);
    Applied create(const EvalJob& job, const kube::Resource& resource, const Json& object, Reconciled& reconciled);
    Applied create_claim(const EvalJob& job, const Json& object, Reconciled& reconciled);
    Applied create_gang(const EvalJob& job, const CreateGang& gang, Reconciled& reconciled);
    Applied look_at_namesake(const EvalJob& job, const kube::Resource& resource, const std::string& name,
                             Reconciled& reconciled);
    std::optional<Error> remove(const EvalJob& job, const kube::Resource& resource, const std::string& name,
                                const std::string& uid, int grace_seconds, Reconciled& reconciled);
    std::optional<Error> write_status(const EvalJob& job, const EvalJobStatus& status, Reconciled& reconciled);
    std::optional<Error> patch(const ObjectMeta& meta, const Json& change, Reconciled& reconciled);
    void say(const EvalJob& job, const Event& event);
    Result<Json> send(const kube::Request& request);

    kube::Transport& transport_;
    Settings settings_;
    Clock clock_;
    std::mutex apis_mutex_;
    std::optional<std::set<std::string>> apis_;  // as served at apis_at_
    UnixSeconds apis_at_ = 0;

    struct KnownClaim {
        ClaimView view;
        UnixSeconds at = 0;
    };
    std::mutex claims_mutex_;
    std::map<std::string, KnownClaim> claims_;  // of jobs that name theirs, by namespace and name
};

/// What a JSON merge patch (RFC 7396) must say to make `before` into `after`; an empty object when they are equal.
Json merge_patch(const Json& before, const Json& after);

}  // namespace evaljob
