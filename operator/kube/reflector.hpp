// Keeps a copy of one kind current: list, page by page, then watch; again when the server has forgotten where we were.
// A pure state machine: what happened goes in, what to do next and what changed come out. Times are in milliseconds.
//
//   List ──last page──▶ Watch ──events, bookmarks──▶ Watch (the version moves on)
//   a list fails            → wait, list from the first page
//   a watch ends cleanly, or says nothing for too long ("Silent")
//                           → watch on from the last version (wait first when it ended within a second, empty)
//   a watch fails or is cut → wait, watch on from the last version
//   410, or an event that cannot be read → list again
//
// Bookmarks are asked for and never relied on. Waits double from 0.8 s to 30 s, with up to as much again at random, and
// start over after two minutes without failure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "operator/kube/request.hpp"
#include "operator/kube/watch_decoder.hpp"

namespace evaljob::kube {

using Milliseconds = std::chrono::milliseconds;

// What happened.
struct Begin {};
struct Listed {
    Json page;
};  // the body of a list's answer
struct ListFailed {
    Error error;
};
struct WatchOpened {};
struct WatchFailed {
    Error error;
};  // could not be opened
struct Arrived {
    WatchEvent event;
};
struct StreamEnded {};  // cleanly, between lines
struct StreamBroke {
    Error error;
};                 // cut, reset, or unreadable
struct Waited {};  // the time of a Wait has passed

using ReflectorInput =
    std::variant<Begin, Listed, ListFailed, WatchOpened, WatchFailed, Arrived, StreamEnded, StreamBroke, Waited>;

// What to do next.
struct SendList {
    Request request;
};
struct OpenWatch {
    Request request;
};
struct ReadOn {};  // the open watch's next bytes
struct Wait {
    Milliseconds time{0};
};

using ReflectorNext = std::variant<SendList, OpenWatch, ReadOn, Wait>;

/// What the step changes in the store. A list becomes visible as a whole, with its last page; EndList has its
/// metadata.resourceVersion.
struct StoreChange {
    enum class Kind { StartList, Stage, EndList, Upsert, Delete };
    Kind kind = Kind::Upsert;
    Json object;
};

struct ReflectorStep {
    ReflectorNext next;
    std::vector<StoreChange> changes;
};

class Reflector {
public:
    /// `seed` is for jitter alone.
    Reflector(Resource resource, std::string ns, std::string label_selector, std::uint64_t seed);

    ReflectorStep step(ReflectorInput input, Milliseconds now);

    const Resource& resource() const { return resource_; }
    bool synced() const { return synced_; }  // a whole list has been seen
    const std::string& resource_version() const { return version_; }

private:
    ReflectorStep start_list();
    ReflectorStep take_page(Json& page);
    ReflectorStep take_event(WatchEvent& event, Milliseconds now);
    ReflectorStep watch_on();
    ReflectorStep end_watch(Milliseconds now);
    ReflectorStep fail_watch(const Error& error, Milliseconds now);
    ReflectorStep wait(Milliseconds now);
    double random();  // in [0, 1)

    Resource resource_;
    std::string ns_;
    std::string selector_;
    std::uint64_t random_state_;
    bool synced_ = false;
    bool relist_ = true;      // what follows a Wait: a list, or a watch from version_
    bool staging_ = false;    // a list has begun and not ended
    std::string version_;     // of the last page or event
    std::string continue_;    // token of the next page; empty: the first
    Milliseconds opened_{0};  // when the watch was opened
    bool heard_ = false;      // something arrived over it
    bool expired_ = false;    // a version expired, and nothing has arrived since
    int failures_ = 0;
    Milliseconds last_failure_{0};
};

}  // namespace evaljob::kube
