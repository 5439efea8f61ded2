// A watch on the object store, as the body of an API server's answer: one JSON line an event. Nothing is queued per
// watch: it reads the store's window from where it stands, and ends with 410 Expired when it has fallen out of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "local/label_selector.hpp"
#include "local/object_store.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::local {

struct WatchFilter {
    std::string resource;  // as in ObjectKey
    std::string ns;        // empty: all
    LabelSelector selector;

    bool matches(const ObjectKey& key, const ObjectPtr& object) const;
};

struct WatchStart {
    std::uint64_t version = 0;       // events after this one
    std::vector<ObjectPtr> initial;  // sent first, as ADDED
    bool bookmarks = false;
    bool initial_end = false;  // a bookmark that marks the end of `initial` (sendInitialEvents)
    Json bookmark_shape;       // apiVersion and kind of the bookmarks' objects
};

class WatchStream : public kube::ByteStream {
public:
    WatchStream(std::shared_ptr<const ObjectStore> store, WatchFilter filter, WatchStart start);

    Result<std::string_view> read() override;
    bool pending() const override { return !ended_; }
    void cancel() override { ended_ = true; }

private:
    void add_line(const char* type, const Json& object);
    void add_bookmark(bool initial_end);
    void add_initial();
    void add_changes();

    std::shared_ptr<const ObjectStore> store_;
    WatchFilter filter_;
    WatchStart start_;
    std::uint64_t position_;
    std::uint64_t bookmarks_seen_;
    std::uint64_t epoch_;
    bool begun_ = false;
    bool ended_ = false;
    std::string lines_;
};

}  // namespace evaljob::local
