#include "operator/controller.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "api/names.hpp"
#include "operator/kube/views.hpp"
#include "operator/log.hpp"
#include "operator/plan/status.hpp"

namespace evaljob {
namespace {

/// Children of one kind, each with the job that its label names.
template <class View>
typename kube::Store<View>::Projection of_label(View (*view)(const Json&)) {
    return [view](const Json& object) -> std::optional<typename kube::Store<View>::Kept> {
        std::string job = kube::job_key_of_child(object);
        if (job.empty()) return {};
        return typename kube::Store<View>::Kept{std::move(job), view(object)};
    };
}

}  // namespace

Controller::Controller(kube::Transport& transport, ControllerOptions options)
    : options_(std::move(options)),
      reconciler_(transport, options_.settings, options_.clock),
      jobs_([](const Json& object) -> std::optional<kube::Store<JobEntry>::Kept> {
          JobEntry entry{parse_evaljob(object), kube::meta_view(object), {}};
          if (!entry.job) entry.status = object.value("status", Json::object());
          const std::string key = kube::key_of(entry.meta.ns, entry.meta.name);
          return kube::Store<JobEntry>::Kept{key, std::move(entry)};
      }),
      pods_(of_label(kube::pod_view)),
      services_(of_label(kube::child_view)),
      merge_jobs_(of_label(kube::merge_job_view)) {
    if (!options_.ticks) options_.ticks = [this] { return kube::Milliseconds{options_.clock() * 1000}; };
    // Children first: a job's first plan must not be made before its children of an earlier life are seen.
    follow(transport, kube::pods, names::label_job, pods_);
    follow(transport, kube::services, names::label_job, services_);
    follow(transport, kube::jobs, names::label_job, merge_jobs_);
    follow(transport, kube::evaljobs, "", jobs_);
}

template <class View>
void Controller::follow(kube::Transport& transport, const kube::Resource& resource, const std::string& selector,
                        kube::Store<View>& store) {
    const std::size_t index = sources_.size();
    kube::Reflector reflector(resource, options_.ns, selector, options_.seed + index);
    sources_.push_back(std::make_unique<kube::Source>(
        transport, std::move(reflector), options_.ticks,
        [this, index, &store](const kube::StoreChange& one) { change(index, store, one); }));
}

template <class View>
void Controller::change(std::size_t source, kube::Store<View>& store, const kube::StoreChange& change) {
    using Kind = kube::StoreChange::Kind;
    {
        const std::lock_guard lock(mutex_);
        switch (change.kind) {
            case Kind::StartList:
                return store.start_list();
            case Kind::Stage:
                return store.stage(change.object);
            case Kind::EndList:
                queue(store.swap_list(change.object));
                synced_.insert(source);
                break;
            case Kind::Upsert:
                queue(store.upsert(change.object));
                break;
            case Kind::Delete:
                queue(store.erase(change.object));
                break;
        }
    }
    if (options_.wake) options_.wake();
}

bool Controller::pump() {
    bool happened = false;
    for (const auto& source : sources_) happened = source->turn() || happened;
    std::ptrdiff_t due = 0;  // what is queued by these comes after the sources' next turn
    {
        const std::lock_guard lock(mutex_);
        due = std::ssize(queue_);
    }
    do {
        if (!work()) return happened;
        happened = true;
    } while (--due > 0);
    return happened;
}

std::optional<kube::Milliseconds> Controller::turn(std::size_t source) {
    sources_[source]->turn();
    return sources_[source]->due();
}

bool Controller::synced() const {
    const std::lock_guard lock(mutex_);
    return synced_.size() == sources_.size();
}

std::size_t Controller::jobs() const {
    const std::lock_guard lock(mutex_);
    return jobs_.size();
}

Workload Controller::workload() const {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    return {queue_.size(),    times_.working(),    times_.adds(),
            queue_.retries(), times_.longest(now), times_.unfinished(now)};
}

void Controller::each_job(const std::function<void(const EvalJob&)>& look) const {
    const std::lock_guard lock(mutex_);
    jobs_.each([&look](const JobEntry& entry) {
        if (entry.job) look(*entry.job);
    });
}

bool Controller::work() {
    std::optional<std::string> key;
    ReconcileTimes times;
    bool more = false;
    {
        const std::lock_guard lock(mutex_);
        if (synced_.size() == sources_.size()) key = queue_.take(options_.clock());
        if (key) times.queued = times_.began(*key, std::chrono::steady_clock::now());
        more = !queue_.empty();
    }
    if (!key) return false;
    if (more && options_.wake) options_.wake();
    reconcile(*key, times);
    if (options_.reconciled) options_.reconciled(times);
    return true;
}

std::optional<Controller::Task> Controller::observe(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const JobEntry* entry = jobs_.find(key);
    if (!entry) {
        leaving_.erase(key);
        waiting_since_.erase(key);
        return {};
    }
    if (!entry->job) return Task{entry->meta, entry->status, tl::unexpected(entry->job.error())};
    Observed observed;
    observed.job = *entry->job;
    const std::vector<const PodView*> pods = pods_.of_job(key);
    observed.pods.reserve(pods.size());
    for (const PodView* pod : pods) observed.pods.push_back(*pod);
    date_departures(key, observed.pods);
    const auto waits = waiting_since_.find(key);
    observed.lesser_waits = waits == waiting_since_.end() || options_.clock() < waits->second + lesser_change_seconds;
    const EvalJob& job = observed.job;
    if (const ChildView* service = services_.find(kube::key_of(job.meta.ns, names::service(job.meta.name))))
        observed.service = *service;
    if (const MergeJobView* merge = merge_jobs_.find(kube::key_of(job.meta.ns, names::merge_job(job.meta.name))))
        observed.merge_job = *merge;
    return Task{entry->meta, {}, std::move(observed)};
}

/// Kept in memory alone: after a restart a lost node is given its time once more.
void Controller::date_departures(const std::string& key, std::vector<PodView>& pods) {
    std::map<std::string, UnixSeconds> leaving;
    const auto& known = leaving_[key];
    for (PodView& pod : pods) {
        if (!pod.deleting) continue;
        const auto since = known.find(pod.uid);
        pod.leaving_since = since == known.end() ? options_.clock() : since->second;
        leaving[pod.uid] = pod.leaving_since;
    }
    if (leaving.empty())
        leaving_.erase(key);
    else
        leaving_[key] = std::move(leaving);
}

void Controller::reconcile(const std::string& key, ReconcileTimes& times) {
    const LogsAbout about(key);
    auto task = observe(key);
    Reconciled reconciled;
    if (task && task->observed) {
        if (options_.progress) task->observed->progress = options_.progress(*task->observed);
        reconciled = reconciler_.reconcile(*task->observed);
    } else if (task) {
        reconciled = reconciler_.refuse(task->meta, task->status, task->observed.error());
    }
    const std::lock_guard lock(mutex_);
    take_back(reconciled);
    finish(key, reconciled);
    times.result = reconciled.error ? "error" : reconciled.look_again ? "requeue_after" : "success";
    times.worked = times_.ended(key, std::chrono::steady_clock::now());
}

/// The stores learn of our own writes at once, so that no plan is made without them.
void Controller::take_back(const Reconciled& reconciled) {
    for (const Written& written : reconciled.written) {
        if (written.resource.kind == kube::pods.kind) queue(pods_.upsert(written.object));
        if (written.resource.kind == kube::services.kind) queue(services_.upsert(written.object));
        if (written.resource.kind == kube::jobs.kind) queue(merge_jobs_.upsert(written.object));
        if (written.resource.kind == kube::evaljobs.kind) queue(jobs_.upsert(written.object));
    }
}

void Controller::finish(const std::string& key, const Reconciled& reconciled) {
    const UnixSeconds now = options_.clock();
    if (reconciled.waits)
        waiting_since_.try_emplace(key, now);
    else if (!reconciled.error)  // a write that failed has waited already: it must not start its back-off over
        waiting_since_.erase(key);
    if (reconciled.error) {
        const int wait = queue_.fail(key, now, reconciled.changed);
        // Someone wrote the EvalJob meanwhile, which the watch will tell: ordinary.
        const auto level = reconciled.error->reason == "Conflict" ? spdlog::level::debug : spdlog::level::warn;
        spdlog::log(level, "{}: {}; looking again in {} s", reconciled.error->reason, reconciled.error->message, wait);
        return;
    }
    queue_.done(key);
    if (reconciled.look_again) queue_.add_at(key, now + reconciled.look_again->count());
}

void Controller::look_at(const std::string& key) {
    {
        const std::lock_guard lock(mutex_);
        queue({key});
    }
    if (options_.wake) options_.wake();
}

void Controller::queue(const std::set<std::string>& keys) {
    for (const std::string& key : keys) {
        const JobEntry* entry = jobs_.find(key);
        const bool begins = entry && entry->job && entry->job->status.start_time.empty();
        queue_.add(key, begins ? Urgency::Begins : Urgency::GoesOn);
        times_.added(key, std::chrono::steady_clock::now());
    }
}

std::optional<UnixSeconds> Controller::next_work() const {
    const std::lock_guard lock(mutex_);
    return queue_.next_time();
}

std::optional<UnixSeconds> Controller::next_look() const {
    std::optional<UnixSeconds> next = next_work();
    for (const auto& source : sources_) {
        if (!source->due()) continue;
        const UnixSeconds due = (source->due()->count() + 999) / 1000;
        next = next ? std::min(*next, due) : due;
    }
    return next;
}

}  // namespace evaljob
