#include "tests/simulation/operator/simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <set>

#include "api/json_read.hpp"
#include "operator/kube/views.hpp"
#include "operator/plan/nodes.hpp"
#include "operator/plan/status.hpp"
#include "operator/plan/time.hpp"

namespace evaljob::simulation {

namespace {

constexpr int disturbed_steps = 50;
constexpr int calm_steps = 400;
constexpr int most_pumps = 60;  // until an operator must come to rest at one time
constexpr int quiet_steps = 8;  // at the end, in which nothing may be written

Json parse(const char* text) { return Json::parse(text); }

Json eval() {
    return parse(R"({"model": {"format": "TorchScript", "path": "model.pt"},
        "datasets": [{"name": "fashion", "format": "IDX", "path": "images.gz", "labelsPath": "labels.gz",
                      "task": {"type": "Classification"}}]})");
}

std::string uid_of(const Json& object) { return text_of(member(object, "metadata"), "uid"); }
const Json& status_of(const Json& job) { return member(job, "status"); }

bool is_condition(const Json& job, const char* type) {
    for (const Json& condition : member(status_of(job), "conditions"))
        if (text_of(condition, "type") == type) return text_of(condition, "status") == "True";
    return false;
}

Json condition(const Json& job, const char* type) {
    for (const Json& condition : member(status_of(job), "conditions"))
        if (text_of(condition, "type") == type) return condition;
    return {};
}

bool has_terminal(const Json& job) { return is_condition(job, "Succeeded") || is_condition(job, "Failed"); }

}  // namespace

Simulation::Simulation(std::uint64_t seed, bool undisturbed, bool traced)
    : seed_(seed), random_(seed), faults_(random_, undisturbed), cluster_(seed, faults_, random_), traced_(traced) {
    spec_ = spec();
    operators_.resize(faults_.has(Fault::SecondLeader) ? 2 : 1);
    for (Operator& one : operators_) start(one);
}

/// Drawn from the seed. Budgets are wide in most seeds, so that most runs can succeed.
Json Simulation::spec() const {
    Random random(seed_ * 31 + 7);
    Json spec{{"numNodes", random.between(1, 4)}, {"numProcPerNode", 2}, {"storage", {{"claimName", "shared"}}}};
    if (random.chance(0.7))
        spec["eval"] = eval();
    else
        spec["template"] =
            parse(R"({"spec": {"containers": [{"name": "runner", "image": "mine", "command": ["run"]}]}})");
    spec["restartPolicy"]["maxRestarts"] = random.chance(0.7) ? 1000 : random.between(0, 4);
    if (spec.contains("eval") && random.chance(0.3)) spec["restartPolicy"]["scope"] = "Group";
    if (random.chance(0.2))
        spec["restartPolicy"]["rules"] =
            parse(R"([{"action": "RestartIgnoreLimit", "onExitCodes": {"operator": "In", "values": [137]}}])");
    if (random.chance(0.3)) spec["startupDeadlineSeconds"] = random.between(120, 600);
    if (random.chance(0.2)) spec["activeDeadlineSeconds"] = random.between(200, 3000);
    if (spec.contains("eval") && random.chance(0.3)) spec["progressDeadlineSeconds"] = random.between(30, 120);
    if (random.chance(0.3)) {
        spec["storage"] = parse(R"({"claimTemplate": {"spec": {"accessModes": ["ReadWriteMany"],
                                    "resources": {"requests": {"storage": "1Gi"}}}}})");
        if (random.chance(0.5)) spec["storage"]["retentionPolicy"] = "Delete";
    }
    return spec;
}

void Simulation::start(Operator& one) {
    one.controller.reset();
    one.transport = std::make_unique<FlakyTransport>(
        cluster_.api(), faults_, random_,
        FlakyTransport::Surroundings{[this] { return cluster_.now(); }, [this, &one] { meanwhile(one); },
                                     [this](const std::string& request) { tell("  " + request); }});
    ControllerOptions options;
    options.ns = job_ns;
    options.clock = [this] { return cluster_.now(); };
    options.progress = [this](const Observed& observed) { return cluster_.report(observed.job); };
    options.seed = random_.next();
    one.controller = std::make_unique<Controller>(*one.transport, std::move(options));
}

void Simulation::pump(Operator& one) {
    if (cluster_.now() < one.paused_until) return;
    try {
        for (int i = 0; i < most_pumps; ++i)
            if (!one.controller->pump()) return;
        require(false, "the operator does not come to rest");
    } catch (const OperatorDied&) {
        start(one);
    }
}

/// Between two requests of one operator: time passes, the cluster lives on, the other operator acts.
void Simulation::meanwhile(const Operator& of) {
    if (nested_) return;
    nested_ = true;
    cluster_.pass(random_.between(0, 3));
    cluster_.step();
    act_as_user();
    for (Operator& other : operators_)
        if (&other != &of && random_.chance(0.5)) pump(other);
    nested_ = false;
}

void Simulation::create_job() {
    const Json object{{"apiVersion", api_version},
                      {"kind", kind},
                      {"metadata", {{"name", job_name}, {"namespace", job_ns}}},
                      {"spec", spec_}};
    auto answer = cluster_.api().send(kube::create(kube::evaljobs, job_ns, object));
    auto job = answer ? kube::read_response(*answer) : Result<Json>(tl::unexpected(answer.error()));
    require(job.has_value(), "the EvalJob cannot be created" + (job ? "" : ": " + job.error().message));
    if (job) seen_[uid_of(*job)].created = cluster_.now();
}

void Simulation::update_spec(const Json& change, bool valid) {
    const local::ObjectPtr held = cluster_.evaljob();
    const Json& job = *held;
    if (job.is_null()) return;
    kube::Request request{kube::Verb::Patch,
                          kube::object_path(kube::evaljobs, job_ns, job_name),
                          {},
                          "application/merge-patch+json",
                          Json{{"spec", change}}.dump()};
    const auto answer = cluster_.api().send(request);
    const bool accepted = answer && kube::read_response(*answer).has_value();
    require(accepted == valid, std::string(valid ? "refused: " : "accepted: ") + change.dump());
    if (accepted) spec_.merge_patch(change);
}

void Simulation::act_as_user() {
    const bool eval = spec_.contains("eval");
    if (eval && faults_.strikes(Fault::Rescaled)) update_spec({{"numNodes", random_.between(1, 5)}}, true);
    if (faults_.strikes(Fault::Suspended)) update_spec({{"suspend", !spec_.value("suspend", false)}}, true);
    if (faults_.strikes(Fault::BudgetChanged))
        update_spec({{"restartPolicy", {{"maxRestarts", random_.between(0, 1000)}}}}, true);
    if (faults_.strikes(Fault::InvalidUpdate))
        update_spec(random_.chance(0.5) ? Json{{"numNodes", 0}} : Json{{"numProcPerNode", 3}}, false);
    if (faults_.strikes(Fault::Recreated, 0.3)) {
        cluster_.api().send({kube::Verb::Delete, kube::object_path(kube::evaljobs, job_ns, job_name), {}, "", "{}"});
        if (cluster_.evaljob()->is_null()) create_job();
    }
}

void Simulation::step() {
    const bool long_step = calm_ || random_.chance(0.1);
    cluster_.pass(long_step ? random_.between(5, 40) : random_.between(1, 5));
    cluster_.step();
    act_as_user();
    for (Operator& one : operators_) {
        if (&one != &operators_.front() && faults_.strikes(Fault::SecondLeader, 3))
            one.paused_until = cluster_.now() + random_.between(10, 90);
        pump(one);
    }
    check();
    trace();
}

/// Faults stop; every kind is listed once more, because no watch can tell what it has lost.
void Simulation::calm_down() {
    calm_ = true;
    faults_.stop();
    for (Operator& one : operators_) {
        one.paused_until = 0;
        one.transport->expire_watches();
    }
    if (spec_.value("suspend", false)) update_spec({{"suspend", false}}, true);
}

void Simulation::require(bool holds, const std::string& what) {
    if (!holds && failure_.empty()) failure_ = what + " (at " + std::to_string(cluster_.now() - 1'800'000'000) + " s)";
}

void Simulation::check() {
    const local::ObjectPtr held = cluster_.evaljob();
    const Json& job = *held;
    if (job.is_null()) return;
    Seen& seen = seen_[uid_of(job)];
    const Json policy = member(job.at("spec"), "restartPolicy");
    seen.max_restarts = std::max(seen.max_restarts, policy.value("maxRestarts", 3));
    check_terminal(job, seen);
    const bool may_overlap =
        faults_.struck(Fault::NodeLost) > 0 || operators_.size() > 1 || faults_.has(Fault::Interleaved);
    if (!may_overlap)
        require(cluster_.live_pods_of_one_node().empty(),
                "two live Pods of one node: " + cluster_.live_pods_of_one_node());
    if (!may_overlap && !spec_.contains("eval"))
        require(cluster_.mixed_group().empty(), "a group runs in two attempts: " + cluster_.mixed_group());
    const auto restarts = number_of(status_of(job), "restarts");
    require(restarts <= seen.max_restarts, "more restarts than maxRestarts");
    require(restarts <= most_restarts(uid_of(job)), "more restarts than deaths");
}

/// As many as had a cause. A disruption whose condition the operator could not see is a death as any other to it.
std::int64_t Simulation::most_restarts(const std::string& uid) {
    if (faults_.struck(Fault::Hung) > 0) return std::numeric_limits<std::int64_t>::max();
    constexpr Fault blinding[] = {Fault::OperatorKilled,  Fault::EventsDelayed, Fault::EventDropped,
                                  Fault::WatchExpired,    Fault::WatchCut,      Fault::StaleList,
                                  Fault::ListExpired,     Fault::SecondLeader,  Fault::ServerError,
                                  Fault::TooManyRequests, Fault::Conflict,      Fault::TimeoutAfterWrite};
    const bool blind = std::ranges::any_of(blinding, [this](Fault fault) { return faults_.struck(fault) > 0; });
    const Ledger& ledger = cluster_.ledger(uid);
    return ledger.own_deaths + ledger.final_exits + (blind ? ledger.disruptions : 0);
}

void Simulation::check_terminal(const Json& job, Seen& seen) {
    if (!has_terminal(job)) {
        require(seen.end.is_null(), "a terminal condition was taken back");
        return;
    }
    require(!(is_condition(job, "Succeeded") && is_condition(job, "Failed")), "both Succeeded and Failed");
    if (seen.end.is_null()) {
        seen.end = status_of(job);
        if (is_condition(job, "Failed")) check_failure(job, seen);
    }
    require(seen.end == status_of(job), "the status was changed after the end");
}

/// A failure must have its cause in what truly happened.
void Simulation::check_failure(const Json& job, const Seen& seen) {
    const Ledger& ledger = cluster_.ledger(uid_of(job));
    const std::string reason = text_of(condition(job, "Failed"), "reason");
    const Json& spec = job.at("spec");
    const std::int64_t age = cluster_.now() - seen.created;
    const auto max_restarts = member(spec, "restartPolicy").value("maxRestarts", 3);
    const std::string message = ": " + text_of(condition(job, "Failed"), "message");
    if (reason == "MaxRestartsExceeded") {
        require(most_restarts(uid_of(job)) > max_restarts,
                "the budget of " + std::to_string(max_restarts) + " is not used up by " +
                    std::to_string(most_restarts(uid_of(job))) + " deaths" + message);
    } else if (reason == "BadInput") {
        require(ledger.final_exits > 0, reason + message);
    } else if (reason == "ProofFailed" || reason == "MergeFailed") {
        require(faults_.struck(Fault::MergeAtItsLimit) + faults_.struck(Fault::MergeKilled) +
                        faults_.struck(Fault::PodDeleted) + faults_.struck(Fault::PodVanished) +
                        faults_.struck(Fault::Evicted) + faults_.struck(Fault::NodeLost) >
                    0,
                reason + message);
    } else if (reason == "StartupDeadlineExceeded") {
        require(age >= spec.value("startupDeadlineSeconds", 0) && spec.contains("startupDeadlineSeconds"),
                "an early deadline" + message);
    } else if (reason == "DeadlineExceeded") {
        const std::int64_t ran = ledger.first_run ? cluster_.now() - ledger.first_run : 0;
        require(spec.contains("activeDeadlineSeconds") && ran >= spec.value("activeDeadlineSeconds", 0),
                "an early deadline" + message);
    } else {
        require(false, "an unexpected failure: " + reason + message);
    }
}

void Simulation::check_end(const Json& job) {
    require(!job.is_null(), "the EvalJob is gone");
    if (job.is_null()) return;
    require(has_terminal(job), "no end: " + text_of(member(status_of(job), "summary"), "status") + ": " +
                                   text_of(condition(job, "Running"), "message"));
    require(cluster_.live_pods() == 0, "live Pods are left after the end");
    for (const auto& pod : cluster_.api().objects(kube::pods)) {
        const PodView view = kube::pod_view(*pod);
        require(view.merge || view.owner_uid == uid_of(job), "an orphan: " + view.name);
    }
    if (!is_condition(job, "Succeeded")) return;
    const Json& status = status_of(job);
    require(status.at("metrics").at(0).at("value") == "0.9134" && status.at("summary").at("score") == "0.913",
            "the score is another one: " + status.dump());
    require(number_of(member(status, "results"), "samples") == samples_total, "the count of samples is another one");
    require(number_of(member(status, "results"), "missing") == 0, "samples are missing");
}

SeedResult Simulation::run() {
    create_job();
    for (int i = 0; i < disturbed_steps && failure_.empty(); ++i) step();
    calm_down();
    int quiet = 0;
    std::uint64_t version = 0;
    for (int i = 0; i < calm_steps && failure_.empty() && quiet < quiet_steps; ++i) {
        step();
        const local::ObjectPtr held = cluster_.evaljob();
        const Json& job = *held;
        std::uint64_t latest = std::stoull("0" + text_of(member(job, "metadata"), "resourceVersion"));
        quiet = has_terminal(job) && cluster_.live_pods() == 0 && latest == version ? quiet + 1 : 0;
        version = latest;
    }
    if (failure_.empty()) check_end(*cluster_.evaljob());
    if (failure_.empty()) require(quiet >= quiet_steps, "the operator goes on writing after the end");
    return {failure_, faults_.counts()};
}

void Simulation::trace() {
    if (!traced_) return;
    const local::ObjectPtr held = cluster_.evaljob();
    const Json& job = *held;
    std::string state = text_of(member(status_of(job), "summary"), "status") + " " +
                        text_of(member(status_of(job), "summary"), "nodes") + " restarts " +
                        std::to_string(number_of(status_of(job), "restarts"));
    for (const auto& object : cluster_.api().objects(kube::pods)) {
        const PodView view = kube::pod_view(*object);
        state += " " + view.name + ":" + (view.phase.empty() ? "new" : view.phase) + (view.deleting ? "(leaving)" : "");
    }
    if (state != traced_state_) tell(state);
    traced_state_ = state;
}

void Simulation::tell(const std::string& what) const {
    if (traced_) std::printf("%6lld s  %s\n", static_cast<long long>(cluster_.now() - 1'800'000'000), what.c_str());
}

}  // namespace evaljob::simulation
