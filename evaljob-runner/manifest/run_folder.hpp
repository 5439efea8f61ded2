// A job's shared folder, as the coordinator opens it: manifest, epoch, and what earlier runs have left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/manifest.hpp"
#include "evaljob-runner/coordinator/coordinator.hpp"
#include "evaljob-runner/shard/done_marker.hpp"

namespace evaljob {

/// Writes the manifest where none lies; checks that one that lies there is of the same evaluation.
/// Fails with OtherIdentity, naming the folder and both identities.
Result<void> settle_manifest(const Manifest& manifest, const std::string& shared_dir);

/// Claims the next epoch by creating its file exclusively.
Result<std::uint32_t> next_epoch(const std::string& shared_dir);

/// What the shard logs below the folder hold of this evaluation.
struct Inventory {
    std::vector<bool> items;         // by item: has a record with a prediction
    std::vector<bool> failed_items;  // by item: has only records that say it failed
    std::vector<DoneShard> shards;   // every log of this identity, with its valid prefix
    std::vector<std::string> notes;  // logs that were passed over, and why
};

/// Reads every shard log, those that are listed and those that coordinators up to `epoch` have written down, of each
/// only what is durable. A damaged one is passed over with a note: what it held is evaluated again.
Result<Inventory> take_inventory(const Manifest& manifest, const std::string& shared_dir, std::uint32_t epoch);

/// What a coordinator finds when it takes over.
struct OpenedRun {
    std::uint32_t epoch = 0;
    Inventory inventory;
    std::optional<DoneMarker> marker;  // of this evaluation; it stands, and durably
};

/// settle_manifest(), next_epoch(), take_inventory(): in this order, so that whatever an earlier coordinator's ranks
/// write from here on is under a lower epoch. What dead processes have left half-written is removed.
Result<OpenedRun> open_run_folder(const Manifest& manifest, const std::string& shared_dir);

/// What a run does about samples that failed in an earlier one.
struct FailedBefore {
    std::int64_t bearable = 0;  // merge.maxFailedSamples
    bool try_again = false;     // even so
};

/// Whether a run need not evaluate anything: an earlier one has come to its end here, every item has a record still,
/// and those that failed may stay so.
bool is_settled(const OpenedRun& run, const FailedBefore& failed);

/// By batch: a batch is finished when every one of its items has a prediction, or, with `settled`, a record.
std::vector<BatchState> batch_states(const Manifest& manifest, const Inventory& inventory, bool settled = false);

/// Who writes a done marker.
struct MarkedBy {
    std::uint32_t epoch = 0;
    std::string run_id;
};

/// Reads all logs once more and writes the done marker. Fails with Incomplete, naming an item that has no record.
Result<DoneMarker> write_done_marker(const Manifest& manifest, const std::string& shared_dir, const MarkedBy& by);

/// The done marker of this evaluation, when a whole one stands in the folder.
std::optional<DoneMarker> standing_marker(const std::string& shared_dir, const std::string& identity);

/// Whether this run has come to its end: one of its own coordinators has written a done marker of the manifest that
/// lies there. An earlier run's ends no other: what failed then may be tried again now.
bool is_done(const std::string& shared_dir, const std::string& run_id);

}  // namespace evaljob
