// Keeps copies of EvalJobs, Pods, Services and Jobs current, and reconciles the jobs that a change touches.
// Thread rule: one thread calls pump(); nothing in it waits for a stream or a time. (A later shell with threads keeps
// the parts: a source per thread, one queue, one reconcile per key at a time.)
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "operator/kube/source.hpp"
#include "operator/kube/store.hpp"
#include "operator/reconciler.hpp"

namespace evaljob {

struct ControllerOptions {
    std::string ns;  // empty: all namespaces
    Settings settings;
    Clock clock;  // Unix seconds
    /// What node 0's runner says now; nothing when it cannot be reached. Asked once a reconcile; must not wait long.
    std::function<std::optional<ProgressReport>(const EvalJob&)> progress;
    std::uint64_t seed = 0;  // of the back-offs' jitter
};

class Controller {
public:
    Controller(kube::Transport& transport, ControllerOptions options);

    /// Reads what has arrived and reconciles every job that is due; true when anything happened, and it is to be called
    /// again at once.
    bool pump();

    /// When to pump at the latest though nothing arrives; nothing: only when something does.
    std::optional<UnixSeconds> next_look() const;

private:
    struct JobEntry {
        Result<EvalJob> job;  // or why it is refused
        ObjectMeta meta;
        Json status;  // as it stands, of a refused one alone
    };

    bool read_sources();
    bool reconcile(const std::string& key);
    std::optional<Observed> observe(const std::string& key);
    void date_departures(const std::string& key, std::vector<PodView>& pods);
    void take_back(const Reconciled& reconciled);
    void look_later(const std::string& key, const Reconciled& reconciled);
    void queue(const std::set<std::string>& keys);
    template <class View>
    std::unique_ptr<kube::Source> follow(kube::Transport& transport, const kube::Resource& resource,
                                         const std::string& selector, kube::Store<View>& store);

    ControllerOptions options_;
    Reconciler reconciler_;
    kube::Store<JobEntry> jobs_;
    kube::Store<PodView> pods_;
    kube::Store<ChildView> services_;
    kube::Store<MergeJobView> merge_jobs_;
    std::vector<std::unique_ptr<kube::Source>> sources_;
    std::deque<std::string> queue_;
    std::set<std::string> queued_;
    std::map<std::string, UnixSeconds> looks_;                           // when to look at a job again
    std::map<std::string, int> failures_;                                // in a row
    std::map<std::string, std::map<std::string, UnixSeconds>> leaving_;  // job → uid of a Pod → since when
};

}  // namespace evaljob
