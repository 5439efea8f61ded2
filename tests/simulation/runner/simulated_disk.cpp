#include "tests/simulation/runner/simulated_disk.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace evaljob::simulation {

namespace {

constexpr std::size_t page = 256;  // small, so that small logs have many

int refuse(int error) {
    errno = error;
    return -1;
}

}  // namespace

SimulatedDisk*& disk_here() {
    thread_local SimulatedDisk* disk = nullptr;
    return disk;
}

SimulatedDisk::SimulatedDisk(std::uint64_t seed, DiskCaller& caller) : random_(seed), caller_(caller) {
    nodes_.push_back({true, {}, {}, "", "", {}, {}, {}});
}

// Names.

std::optional<SimulatedDisk::NodeNumber> SimulatedDisk::find(std::string_view path, bool durable) const {
    NodeNumber at = 0;
    while (!path.empty()) {
        const auto end = path.find('/');
        const std::string_view name = path.substr(0, end);
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
        if (name.empty()) continue;
        const auto& names = durable ? nodes_[at].durable_names : nodes_[at].names;
        const auto it = names.find(name);
        if (!nodes_[at].folder || it == names.end()) return std::nullopt;
        at = it->second;
    }
    return at;
}

std::optional<SimulatedDisk::Place> SimulatedDisk::place_of(const std::string& path) const {
    const auto slash = path.rfind('/');
    const auto folder = find(std::string_view(path).substr(0, slash), false);
    if (!folder || !nodes_[*folder].folder) return std::nullopt;
    return Place{*folder, path.substr(slash + 1)};
}

std::optional<SimulatedDisk::NodeNumber> SimulatedDisk::node_at(const Place& place) const {
    const auto it = nodes_[place.folder].names.find(place.name);
    if (it == nodes_[place.folder].names.end()) return std::nullopt;
    return it->second;
}

void SimulatedDisk::carry_out(Operation operation) {
    for (const Change& change : operation) {
        auto& names = nodes_[change.folder].names;
        if (change.node) {
            names[change.name] = *change.node;
        } else {
            names.erase(change.name);
        }
    }
    journal_.push_back(std::move(operation));
}

void SimulatedDisk::make_durable(const Operation& operation) {
    for (const Change& change : operation) {
        auto& names = nodes_[change.folder].durable_names;
        if (change.node) {
            names[change.name] = *change.node;
        } else {
            names.erase(change.name);
        }
    }
}

bool SimulatedDisk::touch(const Operation& a, const Operation& b) {
    return std::any_of(a.begin(), a.end(), [&](const Change& change) {
        return std::any_of(b.begin(), b.end(), [&](const Change& other) { return change.same_place(other); });
    });
}

/// What changed in the folder, and whatever that builds on.
void SimulatedDisk::sync_names(NodeNumber folder) {
    std::vector<bool> wanted(journal_.size(), false);
    for (std::size_t i = journal_.size(); i-- > 0;) {
        wanted[i] = wanted[i] || std::any_of(journal_[i].begin(), journal_[i].end(),
                                             [&](const Change& change) { return change.folder == folder; });
        if (!wanted[i]) continue;
        for (std::size_t j = 0; j < i; ++j) wanted[j] = wanted[j] || touch(journal_[i], journal_[j]);
    }
    std::vector<Operation> rest;
    for (std::size_t i = 0; i < journal_.size(); ++i) {
        if (wanted[i]) {
            make_durable(journal_[i]);
        } else {
            rest.push_back(std::move(journal_[i]));
        }
    }
    journal_ = std::move(rest);
}

SimulatedDisk::NodeNumber SimulatedDisk::add(const Place& place, bool folder) {
    nodes_.push_back({folder, {}, {}, "", "", {}, {}, {}});
    carry_out({{place.folder, place.name, nodes_.size() - 1}});
    return nodes_.size() - 1;
}

// Bytes.

/// Every dirty page gets to the disk with this chance, and is clean then.
void SimulatedDisk::sync_pages(Node& node, double share) {
    for (std::size_t i = 0; i < node.dirty.size(); ++i) {
        if (!node.dirty[i]) continue;
        node.dirty[i] = false;
        if (share < 1 && !random_.chance(share)) continue;
        const std::size_t begin = i * page;
        const std::string_view bytes = std::string_view(node.bytes).substr(begin, page);
        if (node.durable_bytes.size() < begin + bytes.size()) node.durable_bytes.resize(begin + bytes.size(), '\0');
        node.durable_bytes.replace(begin, bytes.size(), bytes);
    }
}

void SimulatedDisk::drop_clean(Node& node) {
    node.durable_bytes.resize(std::max(node.durable_bytes.size(), node.bytes.size()), '\0');  // holes read as zeros
    for (std::size_t i = 0; i < node.dirty.size(); ++i) {
        if (node.dirty[i]) continue;
        const std::size_t begin = i * page;
        const std::size_t size = std::min(page, node.bytes.size() - begin);
        node.bytes.replace(begin, size, std::string_view(node.durable_bytes).substr(begin, size));
    }
}

/// Of dirty pages some got to the disk, in any order; the last one perhaps in part.
void SimulatedDisk::lose(Node& node) {
    const double share = random_.below(3) / 2.0;
    if (random_.chance(0.5)) {  // in order, up to somewhere
        std::size_t left = random_.below(node.dirty.size() + 1);
        for (std::size_t i = 0; i < node.dirty.size(); ++i) {
            if (!node.dirty[i] || left-- > 0) continue;
            for (; i < node.dirty.size(); ++i) node.dirty[i] = false;
        }
    }
    const std::size_t before = node.durable_bytes.size();
    sync_pages(node, share);
    if (node.durable_bytes.size() > before && random_.chance(0.5))
        node.durable_bytes.resize(before + random_.below(node.durable_bytes.size() - before + 1));
    node.bytes = node.durable_bytes;
    node.dirty.assign((node.bytes.size() + page - 1) / page, false);
}

void SimulatedDisk::lose_power() {
    std::vector<Operation> lost;
    const double share = random_.below(3) / 2.0;
    for (const Operation& operation : journal_) {
        const bool builds_on_lost =
            std::any_of(lost.begin(), lost.end(), [&](const Operation& other) { return touch(operation, other); });
        if (builds_on_lost || !random_.chance(share)) {
            lost.push_back(operation);
        } else {
            make_durable(operation);
        }
    }
    journal_.clear();
    for (Node& node : nodes_) {
        node.names = node.durable_names;
        if (!node.folder) lose(node);
    }
}

void SimulatedDisk::evict() {
    for (Node& node : nodes_)
        if (!node.folder && random_.chance(0.5)) drop_clean(node);
}

bool SimulatedDisk::survives(const std::string& path, std::uint64_t length) const {
    const auto durable = find(path, true);
    const auto seen = find(path, false);
    if (!durable || !seen || *durable != *seen) return false;
    const Node& node = nodes_[*durable];
    return node.folder || (node.bytes.size() >= length && std::string_view(node.durable_bytes).substr(0, length) ==
                                                              std::string_view(node.bytes).substr(0, length));
}

// Calls.

bool SimulatedDisk::allowed(const std::string& call, const std::string& path, Cut& cut) {
    if (caller_.dead()) return false;
    cut = caller_.change(call, path);
    if (caller_.dead()) return false;  // meanwhile
    if (cut != Cut::Before) return true;
    caller_.die();
    return false;
}

int SimulatedDisk::ended(Cut cut, int result) {
    if (cut == Cut::None) return result;
    caller_.die();
    return refuse(EIO);
}

int SimulatedDisk::open(const std::string& path, int flags) {
    if (caller_.dead()) return refuse(EIO);
    auto node = find(path, false);
    Cut cut = Cut::None;
    if ((flags & O_CREAT) != 0 && !node) {
        if (!allowed("create", path, cut)) return refuse(EIO);
        const auto place = place_of(path);
        if (!place) return refuse(ENOENT);
        node = node_at(*place);  // others may have been quicker
        if (!node) {
            if (faults.space_left == 0U) {
                caller_.fault("disk full");
                return refuse(ENOSPC);
            }
            node = add(*place, false);
            flags &= ~O_EXCL;
        }
    }
    if (!node) return refuse(ENOENT);
    if ((flags & O_EXCL) != 0) return refuse(EEXIST);
    if ((flags & O_DIRECTORY) != 0 && !nodes_[*node].folder) return refuse(ENOTDIR);
    opened_[next_descriptor_] = {*node, 0, path};
    return ended(cut, next_descriptor_++);
}

ssize_t SimulatedDisk::read(int descriptor, char* bytes, std::size_t size) {
    if (caller_.dead()) return refuse(EIO);
    Opened& opened = opened_.at(descriptor);
    const std::string& from = nodes_[opened.node].bytes;
    size = std::min(size, from.size() - std::min(from.size(), opened.offset));
    std::copy_n(from.data() + opened.offset, size, bytes);
    opened.offset += size;
    return static_cast<ssize_t>(size);
}

ssize_t SimulatedDisk::write(int descriptor, const char* bytes, std::size_t size) {
    Cut cut = Cut::None;
    if (!allowed("write", opened_.at(descriptor).path, cut)) return refuse(EIO);
    if (size == 0) return ended(cut, 0);
    if (cut == Cut::Half) size = random_.below(size);
    if (size > 1 && random_.chance(faults.short_write)) {
        caller_.fault("write that takes a part");
        size = 1 + random_.below(size - 1);
    }
    if (faults.space_left && *faults.space_left < size) {
        caller_.fault("disk full");
        size = *faults.space_left;
        if (size == 0) return ended(cut, refuse(ENOSPC));
    }
    if (faults.space_left) *faults.space_left -= size;
    Node& node = nodes_[opened_.at(descriptor).node];
    const std::size_t first = node.bytes.size() / page;
    node.bytes.append(bytes, size);
    node.dirty.resize((node.bytes.size() + page - 1) / page, true);
    for (std::size_t i = first; i < node.dirty.size(); ++i) node.dirty[i] = true;
    return ended(cut, static_cast<int>(size));
}

int SimulatedDisk::sync(int descriptor) {
    Cut cut = Cut::None;
    const Opened& opened = opened_.at(descriptor);
    if (!allowed("fsync", opened.path, cut)) return refuse(EIO);
    Node& node = nodes_[opened_.at(descriptor).node];
    if (random_.chance(faults.sync_error)) {
        caller_.fault("EIO on fsync");
        if (!node.folder) sync_pages(node, 0.5);
        return ended(cut, refuse(EIO));
    }
    if (node.folder) {
        sync_names(opened_.at(descriptor).node);
    } else {
        sync_pages(node, cut == Cut::Half ? 0.5 : 1);
    }
    return ended(cut, 0);
}

int SimulatedDisk::close(int descriptor) {
    opened_.erase(descriptor);
    return caller_.dead() ? refuse(EIO) : 0;
}

void SimulatedDisk::forget_cached(int descriptor) { drop_clean(nodes_[opened_.at(descriptor).node]); }

disk::Status SimulatedDisk::status(int descriptor) const {
    if (caller_.dead()) return {};
    const Node& node = nodes_[opened_.at(descriptor).node];
    return {node.folder ? disk::Kind::Folder : disk::Kind::File, node.bytes.size(), 1, opened_.at(descriptor).node, 0};
}

disk::Status SimulatedDisk::status(const std::string& path) const {
    const auto node = caller_.dead() ? std::nullopt : find(path, false);
    if (!node) return {};
    return {nodes_[*node].folder ? disk::Kind::Folder : disk::Kind::File, nodes_[*node].bytes.size(), 1, *node, 0};
}

int SimulatedDisk::rename(const std::string& from, const std::string& to) {
    Cut cut = Cut::None;
    if (!allowed("rename", to, cut)) return refuse(EIO);
    const auto source = place_of(from);
    const auto target = place_of(to);
    const auto node = source ? node_at(*source) : std::nullopt;
    if (!node || !target) return refuse(ENOENT);
    const auto there = node_at(*target);
    if (there && nodes_[*there].folder && !nodes_[*there].names.empty()) return refuse(ENOTEMPTY);
    if (there && nodes_[*there].folder != nodes_[*node].folder) return refuse(EISDIR);
    carry_out({{source->folder, source->name, std::nullopt}, {target->folder, target->name, *node}});
    return ended(cut, 0);
}

int SimulatedDisk::unlink(const std::string& path) {
    const auto seen = caller_.dead() ? std::nullopt : find(path, false);
    if (!seen) return refuse(caller_.dead() ? EIO : ENOENT);
    if (nodes_[*seen].folder) return refuse(EISDIR);
    Cut cut = Cut::None;
    if (!allowed("unlink", path, cut)) return refuse(EIO);
    const auto place = place_of(path);
    if (!place || !node_at(*place)) return refuse(ENOENT);
    carry_out({{place->folder, place->name, std::nullopt}});
    return ended(cut, 0);
}

int SimulatedDisk::make_folder(const std::string& path) {
    Cut cut = Cut::None;
    if (!allowed("mkdir", path, cut)) return refuse(EIO);
    const auto place = place_of(path);
    if (!place) return refuse(ENOENT);
    if (node_at(*place)) return refuse(EEXIST);
    if (faults.space_left == 0U) {
        caller_.fault("disk full");
        return refuse(ENOSPC);
    }
    add(*place, true);
    return ended(cut, 0);
}

int SimulatedDisk::remove_folder(const std::string& path) {
    Cut cut = Cut::None;
    if (!allowed("rmdir", path, cut)) return refuse(EIO);
    const auto place = place_of(path);
    const auto node = place ? node_at(*place) : std::nullopt;
    if (!node) return refuse(ENOENT);
    if (!nodes_[*node].names.empty()) return refuse(ENOTEMPTY);
    carry_out({{place->folder, place->name, std::nullopt}});
    return ended(cut, 0);
}

std::optional<std::vector<std::string>> SimulatedDisk::names_in(const std::string& folder) {
    const auto found = caller_.dead() ? std::nullopt : find(folder, false);
    if (!found) {
        errno = caller_.dead() ? EIO : ENOENT;
        return std::nullopt;
    }
    Node& node = nodes_[*found];
    std::vector<std::string> names;
    for (const auto& [name, number] : node.names) names.push_back(name);
    const std::int64_t now = caller_.now();
    if (node.listed_at && now - *node.listed_at < faults.stale_listing) {
        if (names != node.listed) caller_.fault("stale listing of a folder");
        return node.listed;
    }
    node.listed_at = now;
    return node.listed = names;
}

const char* SimulatedDisk::map(int descriptor, std::size_t size) const {
    if (caller_.dead()) return nullptr;
    char* bytes = new char[size]();
    const std::string& from = nodes_[opened_.at(descriptor).node].bytes;
    std::copy_n(from.data(), std::min(size, from.size()), bytes);
    return bytes;
}

std::string SimulatedDisk::unique_name() { return "unique" + std::to_string(next_name_++); }

}  // namespace evaljob::simulation
