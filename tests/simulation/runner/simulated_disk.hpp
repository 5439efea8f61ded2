// A volume in memory, as strict as POSIX lets one be: what was written lies in the page cache and is durable only after
// an fsync; a name is durable only after an fsync of its folder. A loss of power keeps of the rest any part, page by
// page, name by name. An fsync that fails marks its pages clean, as on Linux: the page cache then holds what the disk
// does not. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/storage/disk.hpp"
#include "tests/simulation/random.hpp"

namespace evaljob::simulation {

/// Where a change that was asked for ends.
enum class Cut { None, Before, Half, After };

/// Who calls the disk, and what befalls him.
class DiskCaller {
public:
    virtual ~DiskCaller() = default;
    /// A dead process's calls have no effect and fail.
    virtual bool dead() const = 0;
    /// Asked in front of every change. Others may act meanwhile.
    virtual Cut change(const std::string& call, const std::string& path) = 0;
    /// The cut was carried out: the caller dies here.
    virtual void die() = 0;
    virtual void fault(const char* name) = 0;
    virtual std::int64_t now() const { return 0; }  // milliseconds
};

struct DiskFaults {
    double short_write = 0;  // a write takes a part, as it may
    double sync_error = 0;   // EIO
    /// A folder that was listed is shown as it was then for so many milliseconds, as a network file system's client
    /// does. What is opened by its name is there.
    std::int64_t stale_listing = 0;
    std::optional<std::uint64_t> space_left;
};

class SimulatedDisk {
public:
    SimulatedDisk(std::uint64_t seed, DiskCaller& caller);

    DiskFaults faults;

    /// The power goes: what is not durable is lost, or not.
    void lose_power();
    /// Memory is short: clean pages are read from the disk again.
    void evict();

    /// A file's bytes and all names on its path would survive a loss of power, up to `length`.
    bool survives(const std::string& path, std::uint64_t length) const;

    // The calls of storage/disk.hpp.
    int open(const std::string& path, int flags);
    ssize_t read(int descriptor, char* bytes, std::size_t size);
    ssize_t write(int descriptor, const char* bytes, std::size_t size);
    int sync(int descriptor);
    int close(int descriptor);
    void forget_cached(int descriptor);
    disk::Status status(int descriptor) const;
    disk::Status status(const std::string& path) const;
    int rename(const std::string& from, const std::string& to);
    int unlink(const std::string& path);
    int make_folder(const std::string& path);
    int remove_folder(const std::string& path);
    std::optional<std::vector<std::string>> names_in(const std::string& folder);
    const char* map(int descriptor, std::size_t size) const;
    std::string unique_name();

private:
    using NodeNumber = std::size_t;
    struct Node {
        bool folder = false;
        std::map<std::string, NodeNumber, std::less<>> names;          // as processes see them
        std::map<std::string, NodeNumber, std::less<>> durable_names;  // as they are on the disk
        std::string bytes;
        std::string durable_bytes;
        std::vector<bool> dirty;          // by page
        std::vector<std::string> listed;  // as it was shown last
        std::optional<std::int64_t> listed_at;
    };
    struct Change {
        NodeNumber folder = 0;
        std::string name;
        std::optional<NodeNumber> node;  // none: the name goes
        bool same_place(const Change& other) const { return folder == other.folder && name == other.name; }
    };
    using Operation = std::vector<Change>;  // atomic: a rename has two changes
    struct Opened {
        NodeNumber node = 0;
        std::size_t offset = 0;
        std::string path;
    };
    struct Place {
        NodeNumber folder = 0;
        std::string name;
    };

    bool allowed(const std::string& call, const std::string& path, Cut& cut);
    int ended(Cut cut, int result);
    std::optional<NodeNumber> find(std::string_view path, bool durable) const;
    std::optional<Place> place_of(const std::string& path) const;
    std::optional<NodeNumber> node_at(const Place& place) const;
    NodeNumber add(const Place& place, bool folder);
    void carry_out(Operation operation);
    void make_durable(const Operation& operation);
    void sync_names(NodeNumber folder);
    void sync_pages(Node& node, double share);
    static void drop_clean(Node& node);
    void lose(Node& node);
    static bool touch(const Operation& a, const Operation& b);

    Random random_;
    DiskCaller& caller_;
    std::vector<Node> nodes_;
    std::vector<Operation> journal_;  // of names, not durable yet
    std::map<int, Opened> opened_;
    int next_descriptor_ = 1000;
    std::uint64_t next_name_ = 0;
};

/// The disk below evaljob::disk on this thread.
SimulatedDisk*& disk_here();

}  // namespace evaljob::simulation
