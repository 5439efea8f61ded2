#include "local/object_store.hpp"

namespace evaljob::local {

ObjectPtr ObjectStore::find(const ObjectKey& key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
}

std::optional<Objects> ObjectStore::at(std::uint64_t version) const {
    if (version < oldest_ || version > version_) return std::nullopt;
    Objects objects = objects_;
    for (auto change = changes_.rbegin(); change != changes_.rend() && change->version > version; ++change) {
        if (change->before)
            objects[change->key] = change->before;
        else
            objects.erase(change->key);
    }
    return objects;
}

ObjectPtr ObjectStore::write(const ObjectKey& key, Json object) {
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    auto after = std::make_shared<const Json>(std::move(object));
    auto& place = objects_[key];
    record({version_, key, place, after});
    place = after;
    return after;
}

void ObjectStore::erase(const ObjectKey& key) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    record({++version_, key, found->second, nullptr});
    objects_.erase(found);
}

void ObjectStore::record(Change change) {
    changes_.push_back(std::move(change));
    while (changes_.size() > window_) {
        oldest_ = changes_.front().version;
        changes_.pop_front();
    }
}

Json with_version(const Json& object, std::uint64_t version) {
    Json copy = object;
    copy["metadata"]["resourceVersion"] = std::to_string(version);
    return copy;
}

}  // namespace evaljob::local
