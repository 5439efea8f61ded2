// A Kubernetes API server in memory: semantics, not calls. It serves local mode and, with virtual time, the simulation.
// Single-threaded: everything, streams and observers included, on one thread; nothing here blocks or reads a clock.
//
// It does what clients can tell apart on the real one: resourceVersion from one counter, generation, uid, 404, 409,
// 410, 422 as metav1.Status, status and scale subresources, preconditions, finalizers, graceful deletion of Pods,
// garbage collection of owned objects, paged lists of one version, bounded watches with label selectors and bookmarks.
//
// It differs from the real one, on purpose, in this:
// - Kinds: those of kube::Resource. One node; every Pod counts as bound to it. No scheduler, quotas, RBAC or admission
//   chain; `admit` is the one hook, and it stands for both defaulting and validation (so EvalJobs are checked by
//   parse_evaljob, not by CEL). Core kinds are checked only where a field below depends on it.
// - Writes: POST, PUT, PATCH (merge patch) and DELETE of single objects. No server-side apply, strategic or JSON patch,
//   no dry run, no managedFields, no deletecollection, no propagation policy but Background.
// - A Pod's spec and a Job's template are immutable as a whole. A status write changes the status and nothing else, for
//   every kind. Services get no addresses.
// - Garbage is collected at once after each write that can make some, unless `automatic_garbage` is off.
// - Watches never time out and are served from the window (`end_watches` and `send_bookmarks` are explicit steps);
//   the window is one for all kinds. A watch or list is never stale.
// - uids are made from `uid_seed` and a counter, so that a run can be repeated.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "local/metav1.hpp"
#include "local/object_store.hpp"
#include "local/resource_path.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::local {

struct MemoryApiOptions {
    std::function<std::int64_t()> clock = [] { return std::int64_t{0}; };  // Unix seconds, for timestamps
    std::uint64_t uid_seed = 0;       // two clusters of one seed give the same uids
    std::size_t watch_window = 1000;  // changes that a watch may lag behind
    bool automatic_garbage = true;
};

class MemoryApi : public kube::Transport {
public:
    /// Gives back the object to store, with its defaults, or an Error: 422 with its message. `old` is null on creation.
    using Admission = std::function<Result<Json>(const Json& object, const Json* old)>;

    explicit MemoryApi(MemoryApiOptions options);

    void admit(const kube::Resource& resource, Admission admission);

    Result<kube::Response> send(const kube::Request& request) override;
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override;

    /// The present objects of one kind, for controllers in the same program.
    std::vector<ObjectPtr> objects(const kube::Resource& resource) const;

    /// Deletes what is owned by objects that are gone alone; returns how many.
    int collect_garbage();
    void send_bookmarks() { ++store_->bookmarks; }
    void end_watches() { ++store_->watch_epoch; }

    /// `observer` is called after each change, inside the call that made it: it must only note that there is something
    /// to read. It stays while the returned value lives.
    std::shared_ptr<void> on_change(std::function<void()> observer);

private:
    struct Call;  // a request with its path parsed

    Answer<Call> parse(const kube::Request& request) const;
    Answer<Call> parse(kube::Request&& request) const = delete;  // a Call refers to its request
    Answer<kube::Response> respond(const kube::Request& request);
    Answer<Json> create(const Call& call);
    Answer<Json> read(const Call& call) const;
    Answer<Json> list(const Call& call) const;
    Answer<Json> update(const Call& call, const Json& candidate);
    Answer<Json> patch(const Call& call);
    Answer<Json> remove(const Call& call);
    Answer<Json> begin_removal(const Call& call, const Json& old, int grace_seconds);
    Answer<std::unique_ptr<kube::ByteStream>> watch(const Call& call) const;

    Answer<Json> admitted(const Call& call, Json object, const Json* old) const;
    void erase(const ObjectKey& key);
    std::string next_uid();
    std::string timestamp(std::int64_t later = 0) const { return rfc3339(options_.clock() + later); }
    void notify();

    MemoryApiOptions options_;
    std::shared_ptr<ObjectStore> store_;
    std::map<std::string, Admission> admissions_;
    std::vector<std::weak_ptr<std::function<void()>>> observers_;
    std::uint64_t created_ = 0;
    bool garbage_possible_ = false;
};

}  // namespace evaljob::local
