// Lists and watches of the API server in memory, and the options of requests.
#include <charconv>

#include "local/memory_call.hpp"
#include "local/watch_stream.hpp"

namespace evaljob::local {
namespace {

std::string query_of(const kube::Request& request, const char* name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
}

bool is_set(const kube::Request& request, const char* name) {
    const auto value = query_of(request, name);
    return value == "true" || value == "1";
}

Answer<std::uint64_t> number_of(const kube::Request& request, const char* name) {
    const auto text = query_of(request, name);
    std::uint64_t number = 0;
    if (text.empty()) return number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
        return refuse(400, "BadRequest", std::string(name) + ": '" + text + "' is not a number");
    return number;
}

Answer<WatchFilter> filter_of(const kube::Request& request, const ObjectKey& key) {
    auto selector = LabelSelector::parse(query_of(request, "labelSelector"));
    if (!selector) return refuse(400, "BadRequest", selector.error().message);
    if (!query_of(request, "fieldSelector").empty())
        return refuse(400, "BadRequest", "fieldSelector: not supported by the API server in memory");
    return WatchFilter{key.resource, key.ns, std::move(*selector)};
}

/// Where a page goes on: the list's version, and the last key that was sent.
struct Continue {
    std::uint64_t version = 0;
    ObjectKey after;
};

std::string continue_token(const Continue& next) {
    return to_text(Json{std::to_string(next.version), next.after.ns, next.after.name});
}

Answer<Continue> read_continue(const std::string& token, const std::string& resource) {
    const auto parts = Json::parse(token, nullptr, false);
    const bool whole =
        parts.is_array() && parts.size() == 3 && parts[0].is_string() && parts[1].is_string() && parts[2].is_string();
    std::uint64_t version = 0;
    if (whole) {
        const auto& text = parts[0].get_ref<const std::string&>();
        std::from_chars(text.data(), text.data() + text.size(), version);
    }
    if (version == 0) return refuse(400, "BadRequest", "continue: the token is not one of ours");
    return Continue{version, {resource, parts[1].get<std::string>(), parts[2].get<std::string>()}};
}

Json list_item(const kube::Resource& resource, const Json& object) {
    Json item = object;
    if (resource.kind != kube::evaljobs.kind) {  // items of built-in kinds come without these
        item.erase("kind");
        item.erase("apiVersion");
    }
    return item;
}

}  // namespace

Answer<DeleteOptions> read_delete_options(const kube::Request& request) {
    Json body = request.body.empty() ? Json::object() : Json::parse(request.body, nullptr, false);
    if (!body.is_object()) return refuse(400, "BadRequest", "the DeleteOptions are not a JSON object");
    for (const auto* name : {"propagationPolicy", "gracePeriodSeconds"}) {
        const auto text = query_of(request, name);
        if (!text.empty() && !body.contains(name))
            body[name] = Json::parse(text, nullptr, false).is_number() ? Json::parse(text) : Json(text);
    }
    const auto policy = body.value("propagationPolicy", "Background");
    if (policy != "Background")
        return refuse(422, "Invalid",
                      "propagationPolicy: the API server in memory knows Background alone, not " + policy);
    DeleteOptions options;
    if (const auto grace = body.find("gracePeriodSeconds"); grace != body.end() && !grace->is_null()) {
        if (!grace->is_number_integer() || grace->get<std::int64_t>() < 0)
            return refuse(422, "Invalid", "gracePeriodSeconds: must be 0 or more seconds");
        options.grace_seconds = grace->get<int>();
    }
    if (const auto given = body.find("preconditions"); given != body.end() && given->is_object())
        options.preconditions = *given;
    return options;
}

std::string path_of(const ObjectKey& key) {
    for (const auto* resource : served_resources()) {
        if (qualified(*resource) != key.resource) continue;
        const auto root = resource->group.empty() ? "/api/" : "/apis/" + resource->group + "/";
        return root + resource->version + "/namespaces/" + key.ns + "/" + resource->plural + "/" + key.name;
    }
    return {};
}

Answer<Json> MemoryApi::list(const Call& call) const {
    const auto filter = filter_of(call.request, call.key);
    if (!filter) return tl::unexpected(filter.error());
    const auto limit = number_of(call.request, "limit");
    if (!limit) return tl::unexpected(limit.error());
    const auto token = query_of(call.request, "continue");
    Answer<Continue> start = Continue{store_->version(), {}};
    if (!token.empty()) start = read_continue(token, call.key.resource);
    if (!start) return tl::unexpected(start.error());
    const auto objects = store_->at(start->version);
    if (!objects)
        return refuse(410, "Expired", "the provided continue parameter is too old to display a consistent list");

    Json items = Json::array();
    Json meta{{"resourceVersion", std::to_string(start->version)}};
    for (auto entry = objects->upper_bound(start->after); entry != objects->end(); ++entry) {
        if (!filter->matches(entry->first, entry->second)) continue;
        if (*limit != 0 && items.size() == *limit) {
            meta["continue"] = continue_token(*start);
            break;
        }
        items.push_back(list_item(call.path.resource, *entry->second));
        start->after = entry->first;
    }
    return Json{{"kind", call.path.resource.kind + "List"},
                {"apiVersion", api_version_of(call.path.resource)},
                {"metadata", std::move(meta)},
                {"items", std::move(items)}};
}

Answer<std::unique_ptr<kube::ByteStream>> MemoryApi::watch(const Call& call) const {
    if (call.request.verb != kube::Verb::Get || !call.path.name.empty() || !is_set(call.request, "watch"))
        return refuse(400, "BadRequest", "open: only GET of a collection with watch=true is a stream");
    auto filter = filter_of(call.request, call.key);
    if (!filter) return tl::unexpected(filter.error());
    const auto version = number_of(call.request, "resourceVersion");
    if (!version) return tl::unexpected(version.error());
    if (*version > store_->version())
        return refuse(504, "Timeout",
                      "Too large resource version: " + std::to_string(*version) +
                          ", current: " + std::to_string(store_->version()));
    WatchStart start;
    start.version = *version;
    start.bookmarks = is_set(call.request, "allowWatchBookmarks");
    start.initial_end = is_set(call.request, "sendInitialEvents") && start.bookmarks;
    start.bookmark_shape = {{"kind", call.path.resource.kind}, {"apiVersion", api_version_of(call.path.resource)}};
    if (*version == 0 || start.initial_end) {  // "what there is, and then what comes"
        start.version = store_->version();
        for (const auto& [key, object] : store_->objects()) {
            if (filter->matches(key, object)) start.initial.push_back(object);
        }
    }
    return std::make_unique<WatchStream>(store_, std::move(*filter), std::move(start));
}

}  // namespace evaljob::local
