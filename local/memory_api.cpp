#include "local/memory_api.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "local/memory_call.hpp"
#include "local/object_write.hpp"
#include "local/watch_stream.hpp"

namespace evaljob::local {
namespace {

constexpr std::size_t largest_body = 3u << 20;  // as etcd's request limit of the real one

/// A value that is discarded when the body is no JSON.
Json parse_body(const kube::Request& request) { return Json::parse(request.body, nullptr, false); }

/// The next of a repeatable sequence of well-spread numbers (splitmix64).
std::uint64_t spread(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// Five letters for generateName, none of which makes a word.
std::string name_suffix(std::uint64_t number) {
    constexpr std::string_view letters = "bcdfghjklmnpqrstvwxz2456789";
    std::string suffix;
    for (auto rest = spread(number); suffix.size() < 5; rest /= letters.size())
        suffix += letters[rest % letters.size()];
    return suffix;
}

/// Owned, but by none that is alive.
template <class IsAlive>
bool is_orphan(const Json& object, const IsAlive& is_alive) {
    const auto& meta = object.at("metadata");
    const auto owners = meta.find("ownerReferences");
    if (owners == meta.end() || owners->empty() || meta.contains("deletionTimestamp")) return false;
    return std::none_of(owners->begin(), owners->end(),
                        [&](const Json& owner) { return is_alive(owner.value("uid", "")); });
}

}  // namespace

MemoryApi::MemoryApi(MemoryApiOptions options)
    : options_(std::move(options)), store_(std::make_shared<ObjectStore>(options_.watch_window)) {}

void MemoryApi::admit(const kube::Resource& resource, Admission admission) {
    admissions_[qualified(resource)] = std::move(admission);
}

std::shared_ptr<void> MemoryApi::on_change(std::function<void()> observer) {
    auto kept = std::make_shared<std::function<void()>>(std::move(observer));
    observers_.push_back(kept);
    return kept;
}

void MemoryApi::notify() {
    std::erase_if(observers_, [](const auto& observer) { return observer.expired(); });
    for (const auto& weak : std::vector(observers_)) {
        if (const auto observer = weak.lock()) (*observer)();
    }
}

Result<kube::Response> MemoryApi::send(const kube::Request& request) {
    const auto before = store_->version();
    auto response = respond(request);
    if (store_->version() != before) {
        if (options_.automatic_garbage) collect_garbage();
        notify();
    }
    return response ? *response : failure_response(response.error());
}

Result<std::unique_ptr<kube::ByteStream>> MemoryApi::open(const kube::Request& request) {
    auto stream = parse(request).and_then([&](const Call& call) { return watch(call); });
    if (stream) return std::move(*stream);
    const auto& refusal = stream.error();
    return fail(refusal.reason, refusal.message, refusal.code == 409 || refusal.code == 429 || refusal.code >= 500);
}

Answer<MemoryApi::Call> MemoryApi::parse(const kube::Request& request) const {
    const auto path = parse_resource_path(request.path);
    if (!path) return refuse(404, "NotFound", "the server could not find the requested resource: " + request.path);
    if (request.body.size() > largest_body)
        return refuse(413, "RequestEntityTooLarge",
                      "Request entity too large: limit is " + std::to_string(largest_body));
    return Call{request, *path, {qualified(path->resource), path->ns, path->name}};
}

Answer<kube::Response> MemoryApi::respond(const kube::Request& request) {
    const auto call = parse(request);
    if (!call) return tl::unexpected(call.error());
    const bool collection = call->path.name.empty();
    const auto respond_with = [](Answer<Json> answer, int code = 200) {
        return answer.map([&](const Json& body) { return kube::Response{code, to_text(body)}; });
    };
    switch (request.verb) {
        case kube::Verb::Get:
            return respond_with(collection ? list(*call) : read(*call));
        case kube::Verb::Post:
            if (collection && !call->path.ns.empty()) return respond_with(create(*call), 201);
            break;
        case kube::Verb::Put:
            if (!collection)
                return respond_with(read_object(call->path, parse_body(request)).and_then([&](const Json& candidate) {
                    return update(*call, candidate);
                }));
            break;
        case kube::Verb::Patch:
            if (!collection) return respond_with(patch(*call));
            break;
        case kube::Verb::Delete:
            if (!collection && call->path.subresource == Subresource::None) return respond_with(remove(*call));
            break;
    }
    return refuse(405, "MethodNotAllowed", "the server does not allow this method on " + request.path);
}

Answer<Json> MemoryApi::admitted(const Call& call, Json object, const Json* old) const {
    const auto admission = admissions_.find(call.key.resource);
    if (admission == admissions_.end()) return object;
    auto result = admission->second(object, old);
    if (!result) return invalid(call.path.resource, string_at(object, "metadata", "name"), result.error().message);
    return std::move(*result);
}

Answer<Json> MemoryApi::create(const Call& call) {
    auto object = read_object(call.path, parse_body(call.request)).and_then([&](Json body) {
        return prepare_create(call.path, std::move(body), name_suffix(options_.uid_seed + created_));
    });
    if (!object) return object;
    auto key = call.key;
    key.name = string_at(*object, "metadata", "name");
    if (store_->find(key)) return refuse(409, "AlreadyExists", key.resource + " \"" + key.name + "\" already exists");
    object = admitted(call, std::move(*object), nullptr);
    if (!object) return object;
    auto& meta = object->at("metadata");
    meta["uid"] = next_uid();
    meta["creationTimestamp"] = timestamp();
    if (object->contains("spec")) meta["generation"] = 1;
    garbage_possible_ = garbage_possible_ || meta.contains("ownerReferences");
    return *store_->write(key, std::move(*object));
}

Answer<Json> MemoryApi::read(const Call& call) const {
    const auto object = store_->find(call.key);
    if (!object) return not_found(call.path.resource, call.path.name);
    return call.path.subresource == Subresource::Scale ? scale_of(*object) : *object;
}

Answer<Json> MemoryApi::patch(const Call& call) {
    if (call.request.content_type != "application/merge-patch+json")
        return refuse(415, "UnsupportedMediaType",
                      "the API server in memory takes application/merge-patch+json, not " + call.request.content_type);
    const auto change = parse_body(call.request);
    if (!change.is_object()) return refuse(400, "BadRequest", "the patch is not a JSON object");
    auto candidate = read(call);
    if (!candidate) return candidate;
    candidate->merge_patch(change);
    return read_object(call.path, std::move(*candidate)).and_then([&](const Json& object) {
        return update(call, object);
    });
}

Answer<Json> MemoryApi::update(const Call& call, const Json& candidate) {
    const auto old = store_->find(call.key);
    if (!old) return not_found(call.path.resource, call.path.name);
    // The uid is a precondition of a PUT alone; in a patch it is a field that cannot change.
    Json preconditions = {{"metadata", {{"resourceVersion", string_at(candidate, "metadata", "resourceVersion")}}}};
    if (call.request.verb == kube::Verb::Put)
        preconditions["metadata"]["uid"] = string_at(candidate, "metadata", "uid");
    if (const auto met = check_preconditions(call.path, preconditions, *old); !met) return tl::unexpected(met.error());
    if (const auto name = string_at(candidate, "metadata", "name"); !name.empty() && name != call.path.name)
        return refuse(400, "BadRequest", "metadata.name: '" + name + "' is not the name in the path");
    if (call.request.verb == kube::Verb::Put && call.path.resource.kind == kube::evaljobs.kind &&
        string_at(candidate, "metadata", "resourceVersion").empty())
        return invalid(call.path.resource, call.path.name, "metadata.resourceVersion: must be specified for an update");
    auto next = prepare_update(call.path, candidate, *old);
    if (next && call.path.subresource != Subresource::Status) next = admitted(call, std::move(*next), old.get());
    if (!next) return next;
    if (is_deletable(*next)) {
        erase(call.key);
        return *next;
    }
    // A write that changes nothing is no event, as on the real one.
    const auto stored = *next == *old ? old : store_->write(call.key, std::move(*next));
    return call.path.subresource == Subresource::Scale ? scale_of(*stored) : *stored;
}

Answer<Json> MemoryApi::remove(const Call& call) {
    const auto old = store_->find(call.key);
    if (!old) return not_found(call.path.resource, call.path.name);
    const auto options = read_delete_options(call.request);
    if (!options) return tl::unexpected(options.error());
    if (const auto met = check_preconditions(call.path, {{"metadata", options->preconditions}}, *old); !met)
        return tl::unexpected(met.error());
    if (call.path.resource.kind == kube::pods.kind) {
        const int own = old->value(Json::json_pointer("/spec/terminationGracePeriodSeconds"), 30);
        const auto phase = string_at(*old, "status", "phase");
        const bool ended = phase == "Succeeded" || phase == "Failed";
        return begin_removal(call, *old, ended ? 0 : options->grace_seconds.value_or(own));
    }
    return begin_removal(call, *old, 0);
}

Answer<Json> MemoryApi::begin_removal(const Call& call, const Json& old, int grace_seconds) {
    Json next = old;
    auto& meta = next["metadata"];
    const bool first = !meta.contains("deletionTimestamp");
    if (first || grace_seconds < meta.value("deletionGracePeriodSeconds", 0)) {
        meta["deletionTimestamp"] = timestamp(grace_seconds);
        meta["deletionGracePeriodSeconds"] = grace_seconds;
    }
    if (is_deletable(next)) {
        // Of a Pod the end is written down before it goes: a watch tells of both.
        if (call.path.resource.kind == kube::pods.kind && next != old) store_->write(call.key, next);
        erase(call.key);
        if (call.path.resource.kind == kube::pods.kind) return next;  // as it last was: so the real one answers
        return Json{{"kind", "Status"},
                    {"apiVersion", "v1"},
                    {"metadata", Json::object()},
                    {"status", "Success"},
                    {"details", {{"name", call.path.name}, {"uid", meta.at("uid")}}}};
    }
    if (next == old) return old;
    if (first && meta.contains("generation")) meta["generation"] = meta.at("generation").get<std::int64_t>() + 1;
    return *store_->write(call.key, std::move(next));
}

std::vector<ObjectPtr> MemoryApi::objects(const kube::Resource& resource) const {
    std::vector<ObjectPtr> found;
    for (const auto& [key, object] : store_->objects()) {
        if (key.resource == qualified(resource)) found.push_back(object);
    }
    return found;
}

void MemoryApi::erase(const ObjectKey& key) {
    store_->erase(key);
    garbage_possible_ = true;
}

int MemoryApi::collect_garbage() {
    int collected = 0;
    while (std::exchange(garbage_possible_, false)) {
        std::set<std::pair<std::string, std::string>> alive;  // namespace, uid
        for (const auto& [key, object] : store_->objects())
            alive.emplace(key.ns, string_at(*object, "metadata", "uid"));
        for (const auto& [key, object] : Objects(store_->objects())) {
            const auto lives = [&alive, &ns = key.ns](const std::string& uid) { return alive.contains({ns, uid}); };
            if (!is_orphan(*object, lives)) continue;
            const kube::Request request{kube::Verb::Delete, path_of(key), {}, {}, {}};
            const auto call = parse(request);
            if (call && remove(*call)) ++collected;
        }
    }
    return collected;
}

std::string MemoryApi::next_uid() {
    const auto high = spread(spread(options_.uid_seed) + ++created_);
    const auto low = spread(high);
    char text[40];
    std::snprintf(text, sizeof text, "%08x-%04x-4%03x-8%03x-%012llx", static_cast<unsigned>(high >> 32),
                  static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                  static_cast<unsigned>(low >> 52), static_cast<unsigned long long>(low & 0xffffffffffffu));
    return text;
}

}  // namespace evaljob::local
