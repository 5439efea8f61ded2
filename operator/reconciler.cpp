#include "operator/reconciler.hpp"

#include <openssl/rand.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

#include "api/json.hpp"
#include "api/json_read.hpp"
#include "api/overloaded.hpp"
#include "operator/event_object.hpp"
#include "operator/kube/discovery.hpp"
#include "operator/kube/views.hpp"
#include "operator/plan/gang.hpp"
#include "operator/plan/status.hpp"
#include "operator/plan/storage.hpp"
#include "operator/plan/time.hpp"

namespace evaljob {
namespace {

constexpr int most_plans_a_reconcile = 6;  // a plan, and again with what stood in its way, was read live or made
constexpr int most_tokens = 3;
constexpr std::chrono::seconds leftover_look{2};
constexpr UnixSeconds apis_age_seconds = 60;  // so long a list of served APIs is good
constexpr UnixSeconds claim_age_seconds = 60;

/// 32 random bytes as 64 hexadecimal characters.
Result<std::string> random_token() {
    std::array<unsigned char, 32> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        return fail("NoRandomness", "the system gives no random bytes for the run's token", true);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const unsigned char byte : bytes) {
        hex += digits[byte >> 4U];
        hex += digits[byte & 15U];
    }
    return hex;
}

std::string name_of(const Json& object) { return object.at("metadata").at("name").get<std::string>(); }

}  // namespace

Reconciler::Reconciler(kube::Transport& transport, Settings settings, Clock clock)
    : transport_(transport), settings_(std::move(settings)), clock_(std::move(clock)) {}

Reconciled Reconciler::reconcile(const Observed& seen) {
    Observed observed = seen;
    Reconciled reconciled;
    for (int i = 0; i < most_plans_a_reconcile; ++i) {
        const Plan plan = make_plan(observed, settings_, clock_());
        reconciled.look_again = plan.look_again;
        const Next next = plan.asks() ? ask(plan, observed, reconciled) : apply(plan, observed, reconciled);
        if (next == Next::Rest) return reconciled;
    }
    reconciled.error = Error{"Obstructed", "children of " + observed.job.meta.name + " cannot be made", true};
    return reconciled;
}

Reconciler::Next Reconciler::ask(const Plan& plan, Observed& observed, Reconciled& reconciled) {
    if (plan.read_claim) reconciled.error = read_claim(observed);
    if (!reconciled.error && plan.read_apis) reconciled.error = read_apis(observed);
    if (!reconciled.error && plan.make_run_secret) reconciled.error = make_run_secret(observed);
    if (reconciled.error) return Next::Rest;
    return confirm(plan, observed, reconciled);
}

/// A claim that many jobs share is read once a minute; what it may be used for never changes.
std::optional<Error> Reconciler::read_claim(Observed& observed) {
    const std::string name = claim_of(observed.job);
    const std::string key = observed.job.meta.ns + "/" + name;
    const bool shared = !observed.job.spec.storage.claim_template;
    if (shared) {
        const std::lock_guard lock(claims_mutex_);
        const auto known = claims_.find(key);
        if (known != claims_.end() && clock_() < known->second.at + claim_age_seconds) {
            observed.claim = known->second.view;
            return {};
        }
    }
    auto answer = send(kube::get(kube::claims, observed.job.meta.ns, name));
    if (!answer && answer.error().reason != "NotFound") return answer.error();
    observed.claim = answer ? kube::claim_view(*answer) : ClaimView{};
    const std::lock_guard lock(claims_mutex_);
    std::erase_if(claims_, [this](const auto& old) { return clock_() >= old.second.at + claim_age_seconds; });
    if (shared && observed.claim->found && !observed.claim->deleting) claims_[key] = {*observed.claim, clock_()};
    return {};
}

std::optional<Error> Reconciler::read_apis(Observed& observed) {
    const std::lock_guard lock(apis_mutex_);
    if (!apis_ || clock_() >= apis_at_ + apis_age_seconds) {
        auto served = served_apis();
        if (!served) return served.error();
        apis_ = std::move(*served);
        apis_at_ = clock_();
    }
    observed.apis = apis_;
    return {};
}

/// A version can be served without the resource: the native one, where its feature gate is off.
Result<std::set<std::string>> Reconciler::served_apis() {
    const auto groups = send(kube::get("/apis"));
    if (!groups) return tl::unexpected(groups.error());
    const std::set<std::string> all = kube::groups_and_versions(*groups);
    std::set<std::string> served;
    if (all.contains(kueue_group)) served.insert(kueue_group);
    for (const GangApi& api : gang_apis()) {
        if (!all.contains(api.version)) continue;
        const auto resources = send(kube::get(std::string("/apis/") + api.version));
        if (!resources && resources.error().reason != "NotFound") return tl::unexpected(resources.error());
        if (resources && kube::serves(*resources, api.plural)) served.insert(api.version);
    }
    return served;
}

/// It may not be read back, so one that is there by its name is not taken: whoever made it knows its token.
std::optional<Error> Reconciler::make_run_secret(Observed& observed) {
    for (int drawn = 0; drawn < most_tokens; ++drawn) {
        const auto token = random_token();
        if (!token) return token.error();
        const Json secret = run_secret(observed.job, *token);
        const auto answer = send(kube::create(kube::secrets, observed.job.meta.ns, secret));
        if (answer) {
            observed.run_secret = name_of(secret);
            return {};
        }
        if (answer.error().reason != "AlreadyExists") return answer.error();
    }
    return Error{"NameTaken", "Secrets of freshly drawn names are there already: someone knows the run's token", true};
}

/// What the stores miss is read live: a store may be older than the API server.
Reconciler::Next Reconciler::confirm(const Plan& plan, Observed& observed, Reconciled& reconciled) {
    const std::size_t known = reconciled.written.size();
    for (const std::string& name : plan.confirm) {
        auto answer = send(kube::get(kube::pods, observed.job.meta.ns, name));
        if (answer) {
            reconciled.written.push_back({kube::pods, std::move(*answer)});
        } else if (answer.error().reason == "NotFound") {
            observed.absent.insert(name);
        } else {
            reconciled.error = answer.error();
            return Next::Rest;
        }
    }
    if (reconciled.written.size() == known) return Next::PlanAgain;
    reconciled.look_again = std::chrono::seconds{0};
    return Next::Rest;
}

Reconciler::Next Reconciler::apply(const Plan& plan, Observed& observed, Reconciled& reconciled) {
    if (plan.actions.empty() && plan.events.empty() && observed.lesser_waits && plan.status != observed.job.status &&
        is_lesser_change(observed.job.status, plan.status)) {
        reconciled.waits = true;
        const std::chrono::seconds wait{lesser_change_seconds};
        reconciled.look_again = std::min(plan.look_again.value_or(wait), wait);
        return Next::Rest;
    }
    if (plan.status == observed.job.status) {
        if (!plan.actions.empty() && !is_unchanged(observed.job.meta, reconciled)) return Next::Rest;
    } else {
        reconciled.error = write_status(observed.job, plan.status, reconciled);
        if (reconciled.error || reconciled.written.empty()) return Next::Rest;
        observed.job.status = plan.status;
        observed.job.meta.resource_version = kube::meta_view(reconciled.written.back().object).resource_version;
    }
    for (const Action& action : plan.actions) {
        Applied applied = apply(observed.job, action, reconciled);
        reconciled.error = std::move(applied.error);
        if (reconciled.error) break;
        if (!applied.obstacle) continue;
        observed.obstacles.push_back(std::move(*applied.obstacle));
        return Next::PlanAgain;
    }
    // Said though an action failed: status has them decided, and no later plan will say them.
    for (const Event& event : plan.events) say(observed.job, event);
    return Next::Rest;
}

/// Whether the EvalJob is still the one that was planned for.
bool Reconciler::is_unchanged(const ObjectMeta& meta, Reconciled& reconciled) {
    auto answer = send(kube::get(kube::evaljobs, meta.ns, meta.name));
    if (!answer) {
        if (answer.error().reason != "NotFound") reconciled.error = answer.error();
        return false;
    }
    const ObjectMeta live = kube::meta_view(*answer);
    if (live.uid == meta.uid && live.resource_version == meta.resource_version) return true;
    reconciled.written.push_back({kube::evaljobs, std::move(*answer)});
    reconciled.look_again = std::chrono::seconds{0};
    return false;
}

Reconciler::Applied Reconciler::apply(const EvalJob& job, const Action& action, Reconciled& reconciled) {
    const auto removed = [&](const kube::Resource& resource, const std::string& name, const std::string& uid,
                             int grace) {
        return Applied{{}, remove(job, resource, name, uid, grace, reconciled)};
    };
    return std::visit(Overloaded{
                          [&](const CreateService& a) { return create(job, kube::services, a.object, reconciled); },
                          [&](const CreateClaim& a) { return create_claim(job, a.object, reconciled); },
                          [&](const CreateGang& a) { return create_gang(job, a, reconciled); },
                          [&](const CreatePod& a) { return create(job, kube::pods, a.object, reconciled); },
                          [&](const CreateMergeJob& a) { return create(job, kube::jobs, a.object, reconciled); },
                          [&](const DeletePod& a) { return removed(kube::pods, a.name, a.uid, a.grace_seconds); },
                          [&](const DeleteMergeJob& a) { return removed(kube::jobs, a.name, a.uid, -1); },
                          [&](const DeleteJob& a) { return removed(kube::evaljobs, a.name, a.uid, -1); },
                      },
                      action);
}

Reconciler::Applied Reconciler::create(const EvalJob& job, const kube::Resource& resource, const Json& object,
                                       Reconciled& reconciled) {
    auto answer = send(kube::create(resource, job.meta.ns, object));
    if (answer) {
        reconciled.changed = true;
        reconciled.written.push_back({resource, std::move(*answer)});
        return {};
    }
    const std::string name = name_of(object);
    if (answer.error().reason == "AlreadyExists") return look_at_namesake(job, resource, name, reconciled);
    const std::string& reason = answer.error().reason;
    const bool passing = reason == "Forbidden" && resource.kind == kube::pods.kind;
    if (reason != "Invalid" && !passing) return {{}, answer.error()};
    return {Obstacle{resource.kind, name, reason,
                     "the API server refuses " + resource.kind + " " + name + ": " + answer.error().message},
            {}};
}

/// One that is there by now, whoever made it, is read and judged by the next reconcile.
Reconciler::Applied Reconciler::create_claim(const EvalJob& job, const Json& object, Reconciled& reconciled) {
    const auto answer = send(kube::create(kube::claims, job.meta.ns, object));
    if (answer) reconciled.changed = true;
    if (answer) return {};
    const Error& error = answer.error();
    const std::string what = "PersistentVolumeClaim " + name_of(object);
    if (error.reason == "AlreadyExists") return {{}, Error{"Conflict", what + " was made meanwhile", true}};
    if (error.reason != "Invalid") return {{}, error};
    return {Obstacle{kube::claims.kind, name_of(object), "Invalid",
                     "the API server refuses " + what + ": " + error.message},
            {}};
}

/// Its API was served when the gang was decided; where it is no more, nothing places the Pods.
Reconciler::Applied Reconciler::create_gang(const EvalJob& job, const CreateGang& gang, Reconciled& reconciled) {
    const std::string api = text_of(gang.object, "apiVersion");
    const auto slash = api.find('/');
    const kube::Resource resource{api.substr(0, slash), api.substr(slash + 1), gang.plural,
                                  text_of(gang.object, "kind")};
    Applied applied = create(job, resource, gang.object, reconciled);
    if (!applied.error || applied.error->reason != "NotFound") return applied;
    return {Obstacle{resource.kind, name_of(gang.object), "GangUnavailable",
                     "the cluster does not serve " + gang.plural + " of " + api + " any more"},
            {}};
}

/// Ours already (an earlier create whose answer or watch event was late), about to go, or someone else's.
Reconciler::Applied Reconciler::look_at_namesake(const EvalJob& job, const kube::Resource& resource,
                                                 const std::string& name, Reconciled& reconciled) {
    auto answer = send(kube::get(resource, job.meta.ns, name));
    if (!answer) return {{}, answer.error()};
    const ChildView child = kube::child_view(*answer);
    if (child.owner_uid == job.meta.uid) {
        reconciled.written.push_back({resource, std::move(*answer)});
        return {};
    }
    const std::string what = resource.kind + " " + name;
    if (child.deleting || child.owner_kind == kind) {
        reconciled.look_again = leftover_look;
        return {{}, Error{"WaitingForOldChildren", what + " of an older EvalJob is still there", true}};
    }
    return {Obstacle{resource.kind, name, "NameTaken",
                     what + " exists and is not this EvalJob's: delete it, or rename the EvalJob"},
            {}};
}

std::optional<Error> Reconciler::remove(const EvalJob& job, const kube::Resource& resource, const std::string& name,
                                        const std::string& uid, int grace_seconds, Reconciled& reconciled) {
    auto answer = send(kube::remove(resource, job.meta.ns, name, uid, grace_seconds));
    if (answer) {
        reconciled.changed = true;
        // A Pod that takes its time is answered as it now is; what is gone at once is answered by the watch.
        if (kube::child_view(*answer).deleting) reconciled.written.push_back({resource, std::move(*answer)});
        return {};
    }
    // Gone, or gone and made again by someone else: either way the one that was meant is no more.
    if (answer.error().reason == "NotFound" || answer.error().reason == "Conflict") return {};
    return answer.error();
}

std::optional<Error> Reconciler::write_status(const EvalJob& job, const EvalJobStatus& status, Reconciled& reconciled) {
    // The first one says everything, so that what is 0 is there to be shown.
    const bool first = job.status.summary.status.empty();
    const Json before = first ? Json::object() : status_to_json(job.status);
    return patch(job.meta, merge_patch(before, status_to_json(status)), reconciled);
}

std::optional<Error> Reconciler::patch(const ObjectMeta& meta, const Json& change, Reconciled& reconciled) {
    auto answer = send(kube::patch_status(kube::evaljobs, meta.ns, meta.name, meta.resource_version, change));
    if (!answer) {
        if (answer.error().reason == "NotFound") return {};  // deleted meanwhile
        return answer.error();
    }
    reconciled.changed = true;
    reconciled.written.push_back({kube::evaljobs, std::move(*answer)});
    return {};
}

Reconciled Reconciler::refuse(const ObjectMeta& meta, const Json& status, const Error& error) {
    Reconciled reconciled;
    // As JSON, because the status of an object that cannot be read as an EvalJob is not ours to drop.
    Json conditions = status.is_object() ? status.value("conditions", Json::array()) : Json::array();
    EvalJobStatus said;
    std::string all = error.message;  // a violation a line
    for (auto end = all.find('\n'); end != std::string::npos; end = all.find('\n', end)) all.replace(end, 1, "; ");
    set_condition(said, {"Running", false, "InvalidSpec", shortened(all, 8192), "", meta.generation}, clock_());
    Json refusal = status_to_json(said).at("conditions").at(0);
    Json* old = nullptr;
    for (Json& condition : conditions) {
        if (!condition.is_object()) continue;
        const std::string type = condition.value("type", "");
        if ((type == "Succeeded" || type == "Failed") && condition.value("status", "") == "True") return reconciled;
        if (type == "Running") old = &condition;
    }
    if (old && old->value("status", "") == "False") {
        refusal["lastTransitionTime"] = old->value("lastTransitionTime", "");
        if (*old == refusal) return reconciled;
    }
    if (old)
        *old = std::move(refusal);
    else
        conditions.push_back(std::move(refusal));
    const Json change = {{"observedGeneration", meta.generation},
                         {"summary", {{"status", "Pending"}}},
                         {"conditions", std::move(conditions)}};
    reconciled.error = patch(meta, change, reconciled);
    return reconciled;
}

void Reconciler::say(const EvalJob& job, const Event& event) {
    spdlog::info("{}: {}", event.reason, event.note);
    const auto answer = send(kube::create(kube::events, job.meta.ns, event_object(job, event, clock_())));
    // An event is a courtesy: status holds what counts. One that could not be said is not lost silently, though.
    if (!answer && answer.error().reason != "AlreadyExists")
        spdlog::warn("event {} was not written: {}", event.reason, answer.error().message);
}

Result<Json> Reconciler::send(const kube::Request& request) {
    const auto response = transport_.send(request);
    if (!response) return tl::unexpected(response.error());
    return kube::read_response(*response);
}

Json merge_patch(const Json& before, const Json& after) {
    Json patch = Json::object();
    for (const auto& [key, value] : after.items()) {
        const auto old = before.find(key);
        if (old == before.end())
            patch[key] = value;
        else if (value.is_object() && old->is_object()) {
            if (Json inner = merge_patch(*old, value); !inner.empty()) patch[key] = std::move(inner);
        } else if (*old != value) {
            patch[key] = value;
        }
    }
    for (const auto& [key, value] : before.items())
        if (!after.contains(key)) patch[key] = nullptr;
    return patch;
}

}  // namespace evaljob
