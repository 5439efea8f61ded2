#include "local/watch_stream.hpp"

#include <algorithm>

#include "local/metav1.hpp"

namespace evaljob::local {

bool WatchFilter::matches(const ObjectKey& key, const ObjectPtr& object) const {
    return object && key.resource == resource && (ns.empty() || key.ns == ns) && selector.matches(*object);
}

WatchStream::WatchStream(std::shared_ptr<const ObjectStore> store, WatchFilter filter, WatchStart start)
    : store_(std::move(store)),
      filter_(std::move(filter)),
      start_(std::move(start)),
      position_(start_.version),
      bookmarks_seen_(store_->bookmarks),
      epoch_(store_->watch_epoch) {}

Result<std::string_view> WatchStream::read() {
    lines_.clear();
    if (ended_) return std::string_view();
    if (epoch_ != store_->watch_epoch) {
        ended_ = true;
        return std::string_view();
    }
    if (!begun_) add_initial();
    if (position_ < store_->oldest()) {
        add_line("ERROR", failure_status({410, "Expired",
                                          "too old resource version: " + std::to_string(position_) + " (" +
                                              std::to_string(store_->oldest()) + ")"}));
        ended_ = true;
        return std::string_view(lines_);
    }
    add_changes();
    if (start_.bookmarks && bookmarks_seen_ != store_->bookmarks) add_bookmark(false);
    bookmarks_seen_ = store_->bookmarks;
    return std::string_view(lines_);
}

void WatchStream::add_line(const char* type, const Json& object) {
    lines_ += to_text({{"type", type}, {"object", object}});
    lines_ += '\n';
}

void WatchStream::add_bookmark(bool initial_end) {
    Json object = start_.bookmark_shape;
    object["metadata"] = {{"resourceVersion", std::to_string(position_)}, {"creationTimestamp", nullptr}};
    if (initial_end) object["metadata"]["annotations"] = {{"k8s.io/initial-events-end", "true"}};
    add_line("BOOKMARK", object);
}

void WatchStream::add_initial() {
    begun_ = true;
    for (const auto& object : start_.initial) add_line("ADDED", *object);
    start_.initial.clear();
    if (start_.initial_end) add_bookmark(true);
}

void WatchStream::add_changes() {
    const auto& changes = store_->changes();
    auto change = std::upper_bound(changes.begin(), changes.end(), position_,
                                   [](std::uint64_t version, const Change& c) { return version < c.version; });
    for (; change != changes.end(); ++change) {
        const bool was = filter_.matches(change->key, change->before);
        const bool is = filter_.matches(change->key, change->after);
        // An object that leaves the selection is gone for this watch, and is sent as it was last seen.
        if (is)
            add_line(was ? "MODIFIED" : "ADDED", *change->after);
        else if (was)
            add_line("DELETED", with_version(*change->before, change->version));
    }
    position_ = store_->version();
}

}  // namespace evaljob::local
