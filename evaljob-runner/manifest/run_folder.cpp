#include "evaljob-runner/manifest/run_folder.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <set>

#include "api/assert.hpp"
#include "api/sample_index.hpp"
#include "evaljob-runner/manifest/log_names.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob {

namespace {

/// Makes the entries of these logs and of every folder between them and `shared` durable: a log whose entry is lost is
/// lost with everything in it, and its writer may have died before it saw to that.
Result<void> sync_entries_of(const std::string& shared, const std::vector<std::string>& files) {
    std::set<std::string> folders;
    for (const auto& name : files) {
        for (auto end = name.rfind('/'); end != std::string::npos && end > 0; end = name.rfind('/', end - 1))
            if (!folders.insert(shared + "/" + name.substr(0, end)).second) break;
    }
    for (const auto& folder : folders)
        if (auto synced = sync_folder(folder); !synced) return synced;
    if (auto synced = sync_folder(shared); !synced) return synced;
    return sync_entries(shared);
}

/// Paths of all shard logs, sorted: those that are listed, and those that a stale listing does not show, but that some
/// coordinator has written down.
Result<std::vector<std::string>> logs_of(const std::string& shared, std::uint32_t epoch,
                                         std::vector<std::string>& notes) {
    const auto listed = list_files(layout::runs(shared), ".shard");
    if (!listed) return tl::unexpected(listed.error());
    std::set<std::string> logs;
    for (const auto& name : *listed) logs.insert("runs/" + name);
    for (const auto& name : named_logs(shared, epoch)) {
        if (logs.contains(name)) continue;
        const bool there = disk::status(shared + "/" + name).kind == disk::Kind::File;
        if (there)
            logs.insert(name);
        else
            notes.push_back(name + ": held records, and is not there any more");
    }
    return std::vector<std::string>(logs.begin(), logs.end());
}

/// By the clock of the file system, which has just made the epoch's file.
void remove_dead(const std::string& shared, std::uint32_t epoch) {
    const auto now = disk::status(layout::epoch(shared, epoch)).modified;
    for (const auto& path : {layout::manifest(shared), layout::done_marker(shared), layout::current(shared)})
        remove_temporaries(path, now);
}

std::optional<DoneMarker> read_marker(const std::string& shared) {
    const auto text = read_file(layout::done_marker(shared), layout::max_done_marker_bytes);
    auto marker = text ? decode_done_marker(*text) : tl::unexpected(text.error());
    return marker ? std::optional(std::move(*marker)) : std::nullopt;
}

}  // namespace

Result<void> settle_manifest(const Manifest& manifest, const std::string& shared_dir) {
    const std::string path = layout::manifest(shared_dir);
    const std::string text = encode_manifest(manifest);
    const auto there = read_file(path, layout::max_manifest_bytes);
    if (!there && there.error().reason != "NotFound") return tl::unexpected(there.error());
    if (!there) {
        if (auto made = make_folders(shared_dir); !made) return made;
        return write_file_durably(path, text);
    }
    if (*there == text) return {};
    const auto other = decode_manifest(*there);
    if (!other) return fail("BadInput", path + ": " + other.error().message + "; remove the folder to start afresh");
    const std::string identity = identity_of(manifest);
    // The same header, written another way: nothing is lost and nothing differs.
    if (other->identity == identity) return {};
    return fail("OtherIdentity",
                shared_dir + " holds the results of another evaluation (identity " + other->identity.substr(0, 12) +
                    ", this one is " + identity.substr(0, 12) +
                    "): model, dataset, task or inference settings differ. Choose another storage.path "
                    "(or --output), or remove the folder");
}

Result<std::uint32_t> next_epoch(const std::string& shared_dir) {
    const std::string folder = layout::epochs(shared_dir);
    if (auto made = make_folders(folder); !made) return tl::unexpected(made.error());
    const auto files = list_files(folder, "");
    if (!files) return tl::unexpected(files.error());
    std::uint32_t epoch = 0;
    for (const auto& name : *files) {
        std::uint32_t number = 0;
        std::from_chars(name.data(), name.data() + name.size(), number);
        epoch = std::max(epoch, number);
    }
    // Another coordinator may take the same number at the same time; only one creation succeeds.
    for (int attempts = 0; attempts < 1000; ++attempts) {
        const std::string path = layout::epoch(shared_dir, ++epoch);
        const FileDescriptor file(disk::open(path, O_WRONLY | O_CREAT | O_EXCL));
        if (file) {
            if (auto synced = sync_folder(folder); !synced) return tl::unexpected(synced.error());
            return epoch;
        }
        if (errno != EEXIST) return write_failure(path, errno);
    }
    return fail("WriteFailed", folder + ": no epoch is free");
}

Result<OpenedRun> open_run_folder(const Manifest& manifest, const std::string& shared_dir) {
    if (auto settled = settle_manifest(manifest, shared_dir); !settled) return tl::unexpected(settled.error());
    const auto epoch = next_epoch(shared_dir);
    if (!epoch) return tl::unexpected(epoch.error());
    remove_dead(shared_dir, *epoch);
    auto inventory = take_inventory(manifest, shared_dir, *epoch);
    if (!inventory) return tl::unexpected(inventory.error());
    auto marker = standing_marker(shared_dir, identity_of(manifest));
    if (marker) {
        // Whoever renamed the marker into place may have died before that was durable.
        if (auto synced = sync_folder(shared_dir); !synced) return tl::unexpected(synced.error());
    }
    return OpenedRun{*epoch, std::move(*inventory), std::move(marker)};
}

Result<Inventory> take_inventory(const Manifest& manifest, const std::string& shared_dir, std::uint32_t epoch) {
    Inventory inventory;
    inventory.items.resize(manifest.items());
    inventory.failed_items.resize(manifest.items());
    const auto files = logs_of(shared_dir, epoch, inventory.notes);
    if (!files) return tl::unexpected(files.error());
    if (files->empty()) return inventory;
    if (auto synced = sync_entries_of(shared_dir, *files); !synced) return tl::unexpected(synced.error());
    const std::string identity = identity_of(manifest);
    const SampleIndex samples(manifest.samples);
    const auto item_of = [&](const Record& record) -> std::optional<std::uint64_t> {
        const auto sample = samples.find(record.dataset, record.id);
        if (!sample || record.repeat >= manifest.repeats) return std::nullopt;
        return *sample * manifest.repeats + record.repeat;
    };
    for (const auto& name : *files) {
        // It counts only once the whole log is known to be readable.
        std::vector<std::pair<std::optional<std::uint64_t>, bool>> found;
        const ShardVisitor visitor{[&](Record&& record) { found.emplace_back(item_of(record), record.failed()); }, {}};
        const auto summary = read_durable_shard_file(shared_dir + "/" + name, visitor);
        if (!summary) {
            inventory.notes.push_back(summary.error().message + "; its samples are evaluated again");
            continue;
        }
        if (summary->header.identity != identity) {
            inventory.notes.push_back(name + ": is of another evaluation and is passed over");
            continue;
        }
        for (const auto& [item, failed] : found) {
            EVALJOB_ASSERT(!item || *item < inventory.items.size(), "what is counted is of the manifest");
            if (item) (failed ? inventory.failed_items : inventory.items)[*item] = true;
        }
        inventory.shards.push_back({name, summary->valid_bytes, summary->sha256, summary->records});
    }
    return inventory;
}

bool is_settled(const OpenedRun& run, const FailedBefore& failed) {
    if (!run.marker || failed.try_again) return false;
    std::int64_t failures = 0;
    for (std::size_t item = 0; item < run.inventory.items.size(); ++item) {
        if (run.inventory.items[item]) continue;
        if (!run.inventory.failed_items[item]) return false;
        ++failures;
    }
    return failures <= failed.bearable;
}

std::vector<BatchState> batch_states(const Manifest& manifest, const Inventory& inventory, bool settled) {
    std::vector<BatchState> states;
    states.reserve(manifest.batches.size());
    for (const auto& batch : manifest.batches) {
        const bool finished = std::all_of(batch.items.begin(), batch.items.end(), [&](auto item) {
            return inventory.items[item] || (settled && inventory.failed_items[item]);
        });
        BatchState state{static_cast<std::uint32_t>(batch.items.size()), finished};
        for (const auto item : batch.items) state.bytes += manifest.samples[item / manifest.repeats].bytes;
        if (!batch.items.empty()) state.kind = manifest.samples[batch.items.front() / manifest.repeats].dataset;
        states.push_back(state);
    }
    return states;
}

Result<DoneMarker> write_done_marker(const Manifest& manifest, const std::string& shared_dir, const MarkedBy& by) {
    auto inventory = take_inventory(manifest, shared_dir, by.epoch);
    if (!inventory) return tl::unexpected(inventory.error());
    for (std::uint64_t item = 0; item < manifest.items(); ++item) {
        if (inventory->items[item] || inventory->failed_items[item]) continue;
        const std::string why = inventory->notes.empty() ? "" : " (" + inventory->notes.front() + ")";
        return fail("Incomplete", "sample " + manifest.samples[item / manifest.repeats].id +
                                      " was reported done, but no shard log holds a record of it" + why);
    }
    DoneMarker marker{identity_of(manifest), by.epoch, manifest.items(), std::move(inventory->shards), by.run_id};
    if (auto wrote = write_file_durably(layout::done_marker(shared_dir), encode_done_marker(marker)); !wrote) {
        return tl::unexpected(wrote.error());
    }
    return marker;
}

std::optional<DoneMarker> standing_marker(const std::string& shared_dir, const std::string& identity) {
    auto marker = read_marker(shared_dir);
    return marker && marker->identity == identity ? marker : std::nullopt;
}

bool is_done(const std::string& shared_dir, const std::string& run_id) {
    const auto marker = read_marker(shared_dir);
    if (!marker || marker->run_id != run_id) return false;
    const auto text = read_file(layout::manifest(shared_dir), layout::max_manifest_bytes);
    const auto manifest = text ? decode_manifest(*text) : tl::unexpected(text.error());
    return manifest && marker->identity == manifest->identity;
}

}  // namespace evaljob
