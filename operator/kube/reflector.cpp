#include "operator/kube/reflector.hpp"

#include <algorithm>
#include <utility>

#include "api/json_read.hpp"
#include "api/overloaded.hpp"

namespace evaljob::kube {
namespace {

constexpr int page_objects = 500;
constexpr Milliseconds first_wait{800};
constexpr Milliseconds longest_wait{30'000};
constexpr Milliseconds forget_failures_after{120'000};
constexpr Milliseconds shortest_empty_watch{1'000};
constexpr int shortest_watch_seconds = 300;

Error error_of(const Json& status) {
    const auto code = status.find("code");
    Response response{code != status.end() && code->is_number_integer() ? code->get<int>() : 500, status.dump()};
    if (response.status < 300) response.status = 500;  // an Error event is none of success
    return read_response(response).error();
}

bool is_silence(const StreamBroke& broke) { return broke.error.reason == "Silent"; }

}  // namespace

Reflector::Reflector(Resource resource, std::string ns, std::string label_selector, std::uint64_t seed)
    : resource_(std::move(resource)), ns_(std::move(ns)), selector_(std::move(label_selector)), random_state_(seed) {}

ReflectorStep Reflector::step(ReflectorInput input, Milliseconds now) {
    return std::visit(
        Overloaded{
            [&](Begin&) { return start_list(); },
            [&](Listed& listed) { return take_page(listed.page); },
            [&](ListFailed&) {
                relist_ = true;
                return wait(now);
            },
            [&](WatchOpened&) {
                opened_ = now;
                heard_ = false;
                return ReflectorStep{ReadOn{}, {}};
            },
            [&](WatchFailed& failed) { return fail_watch(failed.error, now); },
            [&](Arrived& arrived) { return take_event(arrived.event, now); },
            [&](StreamEnded&) { return end_watch(now); },
            [&](StreamBroke& broke) { return is_silence(broke) ? end_watch(now) : fail_watch(broke.error, now); },
            [&](Waited&) { return relist_ ? start_list() : watch_on(); },
        },
        input);
}

ReflectorStep Reflector::start_list() {
    continue_.clear();
    staging_ = false;
    Request request = list(resource_, ns_, selector_);
    request.query["limit"] = std::to_string(page_objects);
    return {SendList{std::move(request)}, {}};
}

ReflectorStep Reflector::take_page(Json& page) {
    ReflectorStep step;
    if (!std::exchange(staging_, true)) step.changes.push_back({StoreChange::Kind::StartList, {}});
    if (const auto items = page.find("items"); items != page.end() && items->is_array())
        for (Json& item : *items) step.changes.push_back({StoreChange::Kind::Stage, std::move(item)});
    continue_ = text_of(member(page, "metadata"), "continue");
    if (!continue_.empty()) {
        Request request = list(resource_, ns_, selector_);
        request.query["limit"] = std::to_string(page_objects);
        request.query["continue"] = continue_;
        step.next = SendList{std::move(request)};
        return step;
    }
    staging_ = false;
    synced_ = true;
    relist_ = false;
    version_ = text_of(member(page, "metadata"), "resourceVersion");
    step.changes.push_back({StoreChange::Kind::EndList, Json{{"metadata", {{"resourceVersion", version_}}}}});
    step.next = watch_on().next;
    return step;
}

ReflectorStep Reflector::watch_on() {
    Request request = watch(resource_, ns_, selector_, version_);
    request.query["timeoutSeconds"] =
        std::to_string(shortest_watch_seconds + static_cast<int>(random() * shortest_watch_seconds));
    return {OpenWatch{std::move(request)}, {}};
}

ReflectorStep Reflector::take_event(WatchEvent& event, Milliseconds now) {
    if (event.type == WatchEvent::Type::Error) return fail_watch(error_of(event.object), now);
    std::string version = text_of(member(event.object, "metadata"), "resourceVersion");
    if (version.empty())
        return fail_watch({"BadEvent", "an event's object has no metadata.resourceVersion", true}, now);
    version_ = std::move(version);
    heard_ = true;
    expired_ = false;
    ReflectorStep step{ReadOn{}, {}};
    if (event.type == WatchEvent::Type::Deleted)
        step.changes.push_back({StoreChange::Kind::Delete, std::move(event.object)});
    else if (event.type != WatchEvent::Type::Bookmark)
        step.changes.push_back({StoreChange::Kind::Upsert, std::move(event.object)});
    return step;
}

ReflectorStep Reflector::end_watch(Milliseconds now) {
    return !heard_ && now - opened_ < shortest_empty_watch ? wait(now) : watch_on();
}

ReflectorStep Reflector::fail_watch(const Error& error, Milliseconds now) {
    // What cannot be read now cannot be read from the same version later either.
    relist_ = error.reason == "Expired" || error.reason == "BadEvent" || error.reason == "TooLarge";
    // A server that expires a version it has just given must not be listed in a tight loop.
    if (error.reason == "Expired" && !std::exchange(expired_, true)) return start_list();
    return wait(now);
}

ReflectorStep Reflector::wait(Milliseconds now) {
    if (failures_ > 0 && now - last_failure_ > forget_failures_after) failures_ = 0;
    last_failure_ = now;
    const Milliseconds base = std::min(longest_wait, first_wait * (1 << std::min(failures_++, 10)));
    const auto jitter = static_cast<Milliseconds::rep>(random() * static_cast<double>(base.count()));
    return {Wait{std::min(longest_wait, base + Milliseconds{jitter})}, {}};
}

double Reflector::random() {  // splitmix64
    std::uint64_t z = (random_state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return static_cast<double>((z ^ (z >> 31U)) >> 11U) / 9007199254740992.0;
}

}  // namespace evaljob::kube
