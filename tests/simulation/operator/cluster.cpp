#include "tests/simulation/operator/cluster.hpp"

#include <algorithm>

#include "api/exit_code.hpp"
#include "api/json_read.hpp"
#include "api/merge_report.hpp"
#include "api/names.hpp"
#include "api/progress_report.hpp"
#include "local/admission.hpp"
#include "local/kubelet_requests.hpp"
#include "operator/kube/views.hpp"
#include "operator/plan/nodes.hpp"
#include "tests/fashion_job.hpp"

namespace evaljob::simulation {

namespace {

constexpr std::int64_t custom_seconds = 30;  // that a custom image needs

std::string uid_of(const Json& object) { return text_of(member(object, "metadata"), "uid"); }

std::string owner_of(const Json& pod) { return kube::pod_view(pod).owner_uid; }

std::string report_of_merge(bool whole) {
    MergeReport report;
    report.samples = samples_total;
    report.published = whole;
    if (whole) {
        report.identity = test::frozen_identity();
        report.digest = "digest";
        report.path = "results/digest";
        report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", samples_total}};
    } else {
        report.missing = 1;
        report.error = "samples are missing";
    }
    return encode_merge_report(report);
}

}  // namespace

Cluster::Cluster(std::uint64_t seed, Faults& faults, Random& random)
    : faults_(faults),
      random_(random),
      api_({[this] { return now_ + skew_; }, seed, random.chance(0.5) ? std::size_t{1000} : std::size_t{20}}),
      jobs_(api_, [this] { return now_ + skew_; }),
      claim_at_(now_ + (random.chance(0.2) ? random.between(1, 200) : 0)),
      peers_notice_(random.chance(0.5)) {
    api_.admit(kube::evaljobs, local::admit_evaljob);
    api_.admit(kube::pods, local::admit_pod);
}

local::ObjectPtr Cluster::evaljob() const {
    static const auto none = std::make_shared<const Json>();
    const auto all = api_.objects(kube::evaljobs);
    return all.empty() ? none : all.front();
}

Ledger& Cluster::ledger_of(const Json& pod) { return ledgers_[owner_of(pod)]; }

std::string Cluster::skewed_time() { return local::rfc3339(now_ + skew_ + random_.between(-1, 1)); }

void Cluster::make_claim() {
    if (claim_at_ == 0 || now_ < claim_at_) return;
    claim_at_ = 0;
    local::send(api_, kube::create(kube::claims, job_ns,
                                   {{"apiVersion", "v1"},
                                    {"kind", "PersistentVolumeClaim"},
                                    {"metadata", {{"name", "shared"}, {"namespace", job_ns}}},
                                    {"spec", {{"accessModes", {"ReadWriteMany"}}}}}));
}

void Cluster::step() {
    make_claim();
    if (faults_.strikes(Fault::ClocksDiffer)) skew_ = random_.between(-3600, 3600);
    if (faults_.strikes(Fault::Hung)) hangs_until_ = now_ + random_.between(10, 600);
    if (!faults_.has(Fault::NoBookmarks) || !faults_.strikes(Fault::NoBookmarks, 3)) api_.send_bookmarks();
    if (!faults_.strikes(Fault::EventsDelayed)) jobs_.step();
    work();
    for (const auto& object : api_.objects(kube::pods)) {
        const Json& pod = *object;
        PodLife& life = lives_[uid_of(pod)];
        if (life.starts == 0) life.starts = now_ + random_.between(0, 5);
        live(pod, life);
    }
    jobs_.step();
}

void Cluster::live(const Json& pod, PodLife& life) {
    const PodView view = kube::pod_view(pod);
    if (life.lost) {
        if (now_ < life.evicted || view.deleting) return;
        patch(pod, {{"conditions", Json::array({{{"type", "DisruptionTarget"}, {"status", "True"}}})}});
        local::send(api_, kube::remove(kube::pods, job_ns, view.name, view.uid, -1));
        return;
    }
    if (view.deleting) return leave(pod, life);
    if (has_ended(view)) return;
    if (misfortune(pod, life) || now_ < life.starts) return;
    if (view.phase != "Running") return wait(pod, life);
    if (view.merge)
        run_merge(pod, life);
    else
        run(pod, life);
}

void Cluster::wait(const Json& pod, PodLife& life) {
    if (faults_.strikes(Fault::ImageMissing)) {
        life.starts = now_ + random_.between(5, 200);
        patch(pod, {{"phase", "Pending"},
                    {"containerStatuses",
                     Json::array({{{"name", "runner"}, {"state", {{"waiting", {{"reason", "ErrImagePull"}}}}}}})}});
        return;
    }
    Ledger& ledger = ledger_of(pod);
    if (!kube::pod_view(pod).merge && ledger.first_run == 0) ledger.first_run = now_;
    patch(pod, {{"phase", "Running"},
                {"conditions", Json::array({{{"type", "Ready"}, {"status", "True"}}})},
                {"containerStatuses", Json::array({{{"name", "runner"}, {"state", {{"running", Json::object()}}}}})}});
}

bool Cluster::peers_run(const Json& pod) const {
    const PodView own = kube::pod_view(pod);
    const auto nodes = evaljob()->value(Json::json_pointer("/spec/numNodes"), 1);
    int running = 0;
    for (const auto& other : api_.objects(kube::pods)) {
        const PodView view = kube::pod_view(*other);
        running += !view.merge && view.owner_uid == own.owner_uid && view.attempt == own.attempt &&
                   (is_running(view) || has_succeeded(view));
    }
    return running >= nodes;
}

bool Cluster::peer_has_failed(const Json& pod) const {
    const PodView own = kube::pod_view(pod);
    return std::ranges::any_of(api_.objects(kube::pods), [&](const auto& other) {
        const PodView view = kube::pod_view(*other);
        return view.owner_uid == own.owner_uid && !view.merge && view.attempt == own.attempt && has_failed(view);
    });
}

void Cluster::run(const Json& pod, PodLife& life) {
    const bool eval = member(member(*evaljob(), "spec"), "eval").is_object();
    const bool done = eval ? samples_done_ >= samples_total : peers_run(pod);
    if (done && life.ends == 0) life.ends = now_ + (eval ? random_.between(0, 5) : custom_seconds);
    if (!eval && peers_notice_ && peer_has_failed(pod) && random_.chance(0.3)) return exit(pod, 1, "a peer is gone");
    if (life.ends == 0 || now_ < life.ends || !(eval || done)) return;
    exit(pod, 0, eval ? encode_last_words(test::frozen_identity()) : "");
}

void Cluster::run_merge(const Json& pod, PodLife& life) {
    if (life.ends == 0) life.ends = now_ + random_.between(0, 8);
    if (faults_.strikes(Fault::MergeKilled)) return exit(pod, 137);
    if (faults_.strikes(Fault::MergeAtItsLimit, 0.2)) return exit(pod, exit_code::proof, report_of_merge(false));
    if (now_ < life.ends) return;
    const local::ObjectPtr job = evaljob();
    const bool eval = member(member(*job, "spec"), "eval").is_object();
    const auto nodes = job->value(Json::json_pointer("/spec/numNodes"), 1);
    const auto attempt = succeeded_[uid_of(*job)].rbegin();
    const bool all_wrote = attempt != succeeded_[uid_of(*job)].rend() && std::ssize(attempt->second) == nodes;
    const bool whole = eval ? samples_done_ >= samples_total : all_wrote;
    exit(pod, whole ? 0 : exit_code::proof, report_of_merge(whole));
}

/// Being deleted: the runner gets its signal, ends within the grace period, and the Pod goes.
void Cluster::leave(const Json& pod, PodLife& life) {
    if (life.leaves == 0) life.leaves = now_ + random_.between(0, 20);
    if (now_ < life.leaves) return;
    const PodView view = kube::pod_view(pod);
    // A Job's Pod is held by its finalizer until its end was counted; of others the end may never be seen.
    if (!has_ended(view) && (view.merge || random_.chance(0.5))) return exit(pod, 143);
    local::send(api_, local::final_removal(pod));
}

bool Cluster::misfortune(const Json& pod, PodLife& life) {
    const PodView view = kube::pod_view(pod);
    Ledger& ledger = ledger_of(pod);
    constexpr double rarely = 0.1;
    if (is_running(view) && !view.merge) {
        if (faults_.strikes(Fault::Crashed, rarely)) {
            ++ledger.own_deaths;
            exit(pod, random_.chance(0.5) ? 137 : 1, "last words");
            return true;
        }
        if (faults_.strikes(Fault::FinalExit, rarely / 5)) {
            ++ledger.final_exits;
            exit(pod, exit_code::bad_input, "no such file");
            return true;
        }
    }
    if (faults_.strikes(Fault::Evicted, rarely)) {
        ++ledger.disruptions;
        patch(pod, {{"conditions", Json::array({{{"type", "DisruptionTarget"}, {"status", "True"}}})}});
        local::send(api_, kube::remove(kube::pods, job_ns, view.name, view.uid, -1));
    } else if (faults_.strikes(Fault::NodeLost, rarely)) {
        ++ledger.disruptions;
        life.lost = true;
        life.evicted = now_ + random_.between(40, 400);
    } else if (faults_.strikes(Fault::PodDeleted, rarely)) {
        ++ledger.own_deaths;
        local::send(api_, kube::remove(kube::pods, job_ns, view.name, view.uid, -1));
    } else if (faults_.strikes(Fault::PodVanished, rarely)) {
        ++ledger.own_deaths;
        local::send(api_, local::final_removal(pod));
    } else {
        return false;
    }
    return true;
}

void Cluster::patch(const Json& pod, const Json& status) {
    Json whole = member(pod, "status").is_object() ? pod.at("status") : Json::object();
    whole.update(status);
    local::send(api_, local::status_patch(pod, whole));
}

void Cluster::exit(const Json& pod, int code, const std::string& message) {
    if (const PodView view = kube::pod_view(pod); code == 0 && !view.merge)
        succeeded_[view.owner_uid][view.attempt].insert(view.node);
    const Json terminated = {{"exitCode", code},
                             {"reason", code == 0 ? "Completed" : "Error"},
                             {"message", message},
                             {"finishedAt", skewed_time()}};
    patch(pod, {{"phase", code == 0 ? "Succeeded" : "Failed"},
                {"containerStatuses", Json::array({{{"name", "runner"}, {"state", {{"terminated", terminated}}}}})}});
}

/// Every running node finishes a sample a second while node 0 coordinates; what is finished is on the volume.
void Cluster::work() {
    const std::int64_t seconds = std::min<std::int64_t>(now_ - worked_at_, 5);
    worked_at_ = now_;
    const local::ObjectPtr job = evaljob();
    if (!member(member(*job, "spec"), "eval").is_object()) return;
    int running = 0;
    bool coordinated = false;
    for (const auto& object : api_.objects(kube::pods)) {
        const PodView view = kube::pod_view(*object);
        if (view.merge || view.owner_uid != uid_of(*job) || !is_running(view) || lives_[view.uid].lost) continue;
        ++running;
        coordinated = coordinated || view.node == 0;
    }
    if (!coordinated || now_ < hangs_until_) return;
    idle_since_ = now_;
    samples_done_ = std::min(samples_total, samples_done_ + running * seconds);
}

std::optional<ProgressReport> Cluster::report(const EvalJob& job) {
    if (faults_.strikes(Fault::Unreachable, 3)) return {};
    for (const auto& object : api_.objects(kube::pods)) {
        const PodView view = kube::pod_view(*object);
        if (!is_own_node_pod(job, view) || view.node != 0 || !is_running(view) || lives_[view.uid].lost) continue;
        ProgressReport report;
        report.samples_done = samples_done_;
        report.samples_total = samples_total;
        report.rendezvous_ready = true;
        report.time = now_;
        report.attempt = view.attempt;
        if (samples_done_ > samples_total / 2) report.identity = test::frozen_identity();  // else its end tells it
        report.idle_seconds = now_ < hangs_until_ ? now_ - std::max(idle_since_, lives_[view.uid].starts) : 0;
        return report;
    }
    return {};
}

int Cluster::live_pods() const {
    return static_cast<int>(std::ranges::count_if(api_.objects(kube::pods),
                                                  [](const auto& pod) { return !has_ended(kube::pod_view(*pod)); }));
}

std::string Cluster::live_pods_of_one_node() const {
    std::map<std::pair<std::string, std::int32_t>, std::string> live;  // owner, node → Pod
    for (const auto& object : api_.objects(kube::pods)) {
        const PodView view = kube::pod_view(*object);
        if (view.merge || has_ended(view)) continue;
        auto& first = live[{view.owner_uid, view.node}];
        if (!first.empty()) return first + " and " + view.name;
        first = view.name;
    }
    return {};
}

std::string Cluster::mixed_group() const {
    std::map<std::string, PodView> first;  // by owner
    for (const auto& object : api_.objects(kube::pods)) {
        const PodView view = kube::pod_view(*object);
        if (view.merge || !is_running(view)) continue;
        const PodView& other = first.try_emplace(view.owner_uid, view).first->second;
        if (other.attempt != view.attempt) return other.name + " and " + view.name;
    }
    return {};
}

}  // namespace evaljob::simulation
