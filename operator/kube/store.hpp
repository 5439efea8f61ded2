// The objects of one kind as last seen, by namespace and name; of each only what a projection keeps. Pure.
// Every change says which jobs (as "NAMESPACE/NAME") it touches.
//
// Answers to our own writes are put in as well, so that the next plan sees them; what a watch brings later and is older
// by its resourceVersion is dropped then, and so is an answer that comes when the watch has already told of the
// object's end. (Versions of one kind are numbers that rise, which the API promises now.)
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/json.hpp"
#include "api/json_read.hpp"

namespace evaljob::kube {

inline std::string key_of(const std::string& ns, const std::string& name) { return ns + "/" + name; }

template <class View>
class Store {
public:
    struct Kept {
        std::string job;  // key of the job it belongs to
        View view;
    };
    /// Nothing: the object is of no job, and is not kept.
    using Projection = std::function<std::optional<Kept>(const Json&)>;
    using Touched = std::set<std::string>;

    explicit Store(Projection projection) : projection_(std::move(projection)) {}

    Touched upsert(const Json& object) {
        const Identity id = identity(object);
        Touched touched;
        if (is_buried(id)) return touched;
        const auto old = entries_.find(id.key);
        if (old != entries_.end()) {
            if (id.version != 0 && id.version < old->second.version) return touched;
            touched.insert(old->second.job);
            drop(entries_, by_job_, old);
        }
        if (auto kept = projection_(object)) {
            touched.insert(kept->job);
            keep(entries_, by_job_, id, std::move(*kept));
        }
        return touched;
    }

    Touched erase(const Json& object) {
        const Identity id = identity(object);
        bury(id);
        const auto old = entries_.find(id.key);
        if (old == entries_.end() || (id.version != 0 && id.version < old->second.version)) return {};
        Touched touched{old->second.job};
        drop(entries_, by_job_, old);
        return touched;
    }

    /// A list: start, stage each object, and swap when it is whole.
    void start_list() {
        staged_.clear();
        staged_by_job_.clear();
    }
    void stage(const Json& object) {
        if (auto kept = projection_(object)) keep(staged_, staged_by_job_, identity(object), std::move(*kept));
    }
    /// `list`: any page of it, for its resourceVersion.
    Touched swap_list(const Json& list) {
        Touched touched;
        const std::uint64_t version = identity(list).version;
        for (const auto& [key, entry] : entries_)
            if (!staged_.contains(key)) bury({key, version});
        for (const auto* side : {&by_job_, &staged_by_job_})
            for (const auto& [job, keys] : *side) touched.insert(job);
        entries_ = std::exchange(staged_, {});
        by_job_ = std::exchange(staged_by_job_, {});
        return touched;
    }

    const View* find(const std::string& key) const {
        const auto found = entries_.find(key);
        return found == entries_.end() ? nullptr : &found->second.view;
    }

    /// In the order of their names.
    std::vector<const View*> of_job(const std::string& job) const {
        std::vector<const View*> views;
        if (const auto keys = by_job_.find(job); keys != by_job_.end())
            for (const std::string& key : keys->second) views.push_back(&entries_.at(key).view);
        return views;
    }

    void each(const std::function<void(const View&)>& look) const {
        for (const auto& [key, entry] : entries_) look(entry.view);
    }

    std::size_t size() const { return entries_.size(); }

private:
    struct Identity {
        std::string key;
        std::uint64_t version = 0;  // 0: not a number
    };
    struct Entry {
        std::uint64_t version = 0;
        std::string job;
        View view;
    };
    using Entries = std::map<std::string, Entry>;
    using ByJob = std::map<std::string, std::set<std::string>>;

    static Identity identity(const Json& object) {
        const Json& metadata = member(object, "metadata");
        Identity id{key_of(text_of(metadata, "namespace"), text_of(metadata, "name")), 0};
        const std::string version = text_of(metadata, "resourceVersion");
        std::from_chars(version.data(), version.data() + version.size(), id.version);
        return id;
    }

    /// The last few ends: as long as an answer to a write may be under way.
    void bury(const Identity& id) {
        constexpr std::size_t most_graves = 4096;
        if (id.version == 0) return;
        buried_[id.key] = std::max(buried_[id.key], id.version);
        graves_.push_back(id);
        if (graves_.size() <= most_graves) return;
        const auto oldest = buried_.find(graves_.front().key);
        if (oldest != buried_.end() && oldest->second == graves_.front().version) buried_.erase(oldest);
        graves_.pop_front();
    }

    bool is_buried(const Identity& id) const {
        const auto grave = buried_.find(id.key);
        return grave != buried_.end() && id.version != 0 && id.version <= grave->second;
    }

    static void keep(Entries& entries, ByJob& by_job, const Identity& id, Kept&& kept) {
        by_job[kept.job].insert(id.key);
        entries.insert_or_assign(id.key, Entry{id.version, std::move(kept.job), std::move(kept.view)});
    }

    static void drop(Entries& entries, ByJob& by_job, typename Entries::iterator entry) {
        auto& keys = by_job[entry->second.job];
        keys.erase(entry->first);
        if (keys.empty()) by_job.erase(entry->second.job);
        entries.erase(entry);
    }

    Projection projection_;
    Entries entries_;
    ByJob by_job_;
    Entries staged_;
    ByJob staged_by_job_;
    std::map<std::string, std::uint64_t> buried_;  // key → version of its end
    std::deque<Identity> graves_;                  // the same, oldest first
};

}  // namespace evaljob::kube
