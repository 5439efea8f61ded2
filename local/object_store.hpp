// The objects of the API server in memory, with a bounded window of their latest changes: what etcd and the watch cache
// are to the real one. Single-threaded.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/json.hpp"

namespace evaljob::local {

using ObjectPtr = std::shared_ptr<const Json>;  // never null inside the store; shared with the window and with readers

struct ObjectKey {
    std::string resource;  // "pods", "evaljobs.evaljob.dev"
    std::string ns;
    std::string name;
    auto operator<=>(const ObjectKey&) const = default;
};

using Objects = std::map<ObjectKey, ObjectPtr>;

/// One write: `before` is null for a creation, `after` for a removal.
struct Change {
    std::uint64_t version = 0;
    ObjectKey key;
    ObjectPtr before;
    ObjectPtr after;
};

class ObjectStore {
public:
    explicit ObjectStore(std::size_t window) : window_(window) {}

    ObjectPtr find(const ObjectKey& key) const;
    const Objects& objects() const { return objects_; }
    const std::deque<Change>& changes() const { return changes_; }

    std::uint64_t version() const { return version_; }
    /// The lowest version after which no change has been forgotten.
    std::uint64_t oldest() const { return oldest_; }
    /// All objects as they were at `version`; nothing when that is outside the window.
    std::optional<Objects> at(std::uint64_t version) const;

    /// Stores the object under the next version, which becomes its metadata.resourceVersion.
    ObjectPtr write(const ObjectKey& key, Json object);
    void erase(const ObjectKey& key);

    // What open watches look at, beside the changes.
    std::uint64_t bookmarks = 0;    // raised to make each watch that wants them send a bookmark
    std::uint64_t watch_epoch = 0;  // raised to end all open watches

private:
    void record(Change change);

    std::size_t window_;
    std::uint64_t version_ = 1;  // "0" has a meaning of its own in requests
    std::uint64_t oldest_ = 1;
    Objects objects_;
    std::deque<Change> changes_;
};

/// The object as the last thing seen of it: `object` with the version at which it left.
Json with_version(const Json& object, std::uint64_t version);

}  // namespace evaljob::local
