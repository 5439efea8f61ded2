// Keeps copies of EvalJobs, Pods, Services and Jobs current, and reconciles the jobs that a change touches.
//
// Thread rule: either one thread calls pump(), over a transport whose streams never wait (local mode, the simulation);
// or each source has a thread that calls turn(), and any number of threads call work() (controller_threads). The mutex
// guards stores and queue; requests are sent without it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operator/kube/source.hpp"
#include "operator/kube/store.hpp"
#include "operator/reconciler.hpp"
#include "operator/work_queue.hpp"
#include "operator/work_times.hpp"

namespace evaljob {

/// One reconcile, for the metrics.
struct ReconcileTimes {
    const char* result = "";  // success, requeue_after, error: as controllers' dashboards know them
    WorkTimes::Length queued{0};
    WorkTimes::Length worked{0};
};

/// What waits and is being worked on.
struct Workload {
    std::size_t depth = 0;
    std::size_t working = 0;
    std::uint64_t adds = 0;
    std::uint64_t retries = 0;
    WorkTimes::Length longest{0};  // of what is being worked on
    WorkTimes::Length unfinished{0};
};

struct ControllerOptions {
    std::string ns;  // empty: all namespaces
    Settings settings;
    Clock clock;  // Unix seconds
    /// What node 0's runner says now; nothing when it cannot be reached. Asked once a reconcile; must not wait long.
    std::function<std::optional<ProgressReport>(const Observed&)> progress;
    std::uint64_t seed = 0;      // of the back-offs' jitter
    kube::Source::Clock ticks;   // of back-offs; by default the clock's
    std::function<void()> wake;  // called when there is work for one more worker
    std::function<void(const ReconcileTimes&)> reconciled;
};

class Controller {
public:
    Controller(kube::Transport& transport, ControllerOptions options);

    /// Reads what has arrived and reconciles every job that is due; true when anything happened, and it is to be called
    /// again at once.
    bool pump();

    /// When to pump at the latest though nothing arrives; nothing: only when something does.
    std::optional<UnixSeconds> next_look() const;

    std::size_t sources() const { return sources_.size(); }

    /// One source goes on as far as it can, which waits when the transport's streams do; then when its back-off ends,
    /// if it is in one.
    std::optional<kube::Milliseconds> turn(std::size_t source);

    /// Reconciles the next job that is due and that no other thread has; false when there is none.
    bool work();

    /// When to work at the latest though nothing is queued.
    std::optional<UnixSeconds> next_work() const;

    /// Every kind was listed once: before that nothing is reconciled, because what is missing may only be unseen.
    bool synced() const;

    std::size_t jobs() const;
    Workload workload() const;

    /// Those that can be read as EvalJobs, as last seen. `look` must not call us.
    void each_job(const std::function<void(const EvalJob&)>& look) const;

    /// Something that no watch tells is new about the job "NAMESPACE/NAME".
    void look_at(const std::string& key);

private:
    struct JobEntry {
        Result<EvalJob> job;  // or why it is refused
        ObjectMeta meta;
        Json status;  // as it stands, of a refused one alone
    };

    /// What a reconcile begins with: an EvalJob and all that was observed of it, or why it is refused.
    struct Task {
        ObjectMeta meta;
        Json status;  // of a refused one alone
        Result<Observed> observed;
    };

    void reconcile(const std::string& key, ReconcileTimes& times);
    std::optional<Task> observe(const std::string& key);
    void date_departures(const std::string& key, std::vector<PodView>& pods);
    void take_back(const Reconciled& reconciled);
    void finish(const std::string& key, const Reconciled& reconciled);
    void queue(const std::set<std::string>& keys);
    template <class View>
    void follow(kube::Transport& transport, const kube::Resource& resource, const std::string& selector,
                kube::Store<View>& store);
    template <class View>
    void change(std::size_t source, kube::Store<View>& store, const kube::StoreChange& change);

    ControllerOptions options_;
    Reconciler reconciler_;
    kube::Store<JobEntry> jobs_;
    kube::Store<PodView> pods_;
    kube::Store<ChildView> services_;
    kube::Store<MergeJobView> merge_jobs_;
    std::vector<std::unique_ptr<kube::Source>> sources_;
    mutable std::mutex mutex_;
    WorkQueue queue_;
    WorkTimes times_;
    std::set<std::size_t> synced_;                                       // sources
    std::map<std::string, std::map<std::string, UnixSeconds>> leaving_;  // job → uid of a Pod → since when
    std::map<std::string, UnixSeconds> waiting_since_;                   // job → of its lesser change
};

}  // namespace evaljob
