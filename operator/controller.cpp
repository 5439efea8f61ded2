#include "operator/controller.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "api/names.hpp"
#include "operator/kube/views.hpp"

namespace evaljob {
namespace {

constexpr int longest_back_off_seconds = 30;

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
    // Children first: a job's first plan must not be made before its children of an earlier life are seen.
    sources_.push_back(follow(transport, kube::pods, names::label_job, pods_));
    sources_.push_back(follow(transport, kube::services, names::label_job, services_));
    sources_.push_back(follow(transport, kube::jobs, names::label_job, merge_jobs_));
    sources_.push_back(follow(transport, kube::evaljobs, "", jobs_));
}

template <class View>
std::unique_ptr<kube::Source> Controller::follow(kube::Transport& transport, const kube::Resource& resource,
                                                 const std::string& selector, kube::Store<View>& store) {
    kube::Reflector reflector(resource, options_.ns, selector, options_.seed + sources_.size());
    return std::make_unique<kube::Source>(transport, std::move(reflector),
                                          [this, &store](const kube::StoreChange& change) {
                                              using Kind = kube::StoreChange::Kind;
                                              switch (change.kind) {
                                                  case Kind::StartList:
                                                      store.start_list();
                                                      return;
                                                  case Kind::Stage:
                                                      store.stage(change.object);
                                                      return;
                                                  case Kind::EndList:
                                                      queue(store.swap_list());
                                                      return;
                                                  case Kind::Upsert:
                                                      queue(store.upsert(change.object));
                                                      return;
                                                  case Kind::Delete:
                                                      queue(store.erase(change.object));
                                                      return;
                                              }
                                          });
}

bool Controller::pump() {
    bool happened = read_sources();
    // Before every kind was listed once, what is missing may only be unseen.
    if (!std::ranges::all_of(sources_, [](const auto& source) { return source->synced(); })) return happened;
    const UnixSeconds now = options_.clock();
    for (auto look = looks_.begin(); look != looks_.end();) {
        if (look->second > now) {
            ++look;
            continue;
        }
        queue({look->first});
        look = looks_.erase(look);
    }
    for (std::size_t due = queue_.size(); due > 0; --due) {
        const std::string key = std::move(queue_.front());
        queue_.pop_front();
        queued_.erase(key);
        happened = reconcile(key) || happened;
    }
    return happened || !queue_.empty();
}

bool Controller::read_sources() {
    const kube::Milliseconds now{options_.clock() * 1000};
    bool happened = false;
    for (const auto& source : sources_) happened = source->turn(now) || happened;
    return happened;
}

std::optional<Observed> Controller::observe(const std::string& key) {
    const JobEntry* entry = jobs_.find(key);
    if (!entry || !entry->job) return {};
    Observed observed;
    observed.job = *entry->job;
    for (const PodView* pod : pods_.of_job(key)) observed.pods.push_back(*pod);
    date_departures(key, observed.pods);
    const EvalJob& job = observed.job;
    if (const ChildView* service = services_.find(kube::key_of(job.meta.ns, names::service(job.meta.name))))
        observed.service = *service;
    if (const MergeJobView* merge = merge_jobs_.find(kube::key_of(job.meta.ns, names::merge_job(job.meta.name))))
        observed.merge_job = *merge;
    if (options_.progress) observed.progress = options_.progress(job);
    return observed;
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

bool Controller::reconcile(const std::string& key) {
    looks_.erase(key);
    const JobEntry* entry = jobs_.find(key);
    if (!entry) {
        failures_.erase(key);
        leaving_.erase(key);
        return false;
    }
    Reconciled reconciled;
    if (auto observed = observe(key))
        reconciled = reconciler_.reconcile(*observed);
    else
        reconciled = reconciler_.refuse(entry->meta, entry->status, entry->job.error());
    take_back(reconciled);
    look_later(key, reconciled);
    return reconciled.changed;
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

void Controller::look_later(const std::string& key, const Reconciled& reconciled) {
    if (!reconciled.error) {
        failures_.erase(key);
        if (reconciled.look_again) looks_[key] = options_.clock() + reconciled.look_again->count();
        return;
    }
    const int failures = ++failures_[key];
    const int wait = std::min(longest_back_off_seconds, 1 << std::min(failures - 1, 5));
    spdlog::warn("{}: {}: {}; looking again in {} s", key, reconciled.error->reason, reconciled.error->message, wait);
    looks_[key] = options_.clock() + wait;
}

void Controller::queue(const std::set<std::string>& keys) {
    for (const std::string& key : keys)
        if (queued_.insert(key).second) queue_.push_back(key);
}

std::optional<UnixSeconds> Controller::next_look() const {
    std::optional<UnixSeconds> next;
    const auto sooner = [&next](UnixSeconds time) { next = next ? std::min(*next, time) : time; };
    for (const auto& [key, time] : looks_) sooner(time);
    for (const auto& source : sources_)
        if (source->due()) sooner((source->due()->count() + 999) / 1000);
    return next;
}

}  // namespace evaljob
