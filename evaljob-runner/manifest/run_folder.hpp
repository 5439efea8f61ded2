// A job's shared folder, as the coordinator opens it: manifest, epoch, and what earlier runs have left.
#pragma once

#include <cstdint>
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

/// Reads every shard log, of each only what is durable. A damaged one is passed over with a note: what it held is
/// evaluated again.
Result<Inventory> take_inventory(const Manifest& manifest, const std::string& shared_dir);

/// What a coordinator finds when it takes over.
struct OpenedRun {
    std::uint32_t epoch = 0;
    Inventory inventory;
    bool done = false;  // the done marker stands, and durably
};

/// settle_manifest(), next_epoch(), take_inventory(): in this order, so that whatever an earlier coordinator's ranks
/// write from here on is under a lower epoch.
Result<OpenedRun> open_run_folder(const Manifest& manifest, const std::string& shared_dir);

/// By batch: a batch is finished when every one of its items has a prediction. Failed ones are tried again.
std::vector<BatchState> batch_states(const Manifest& manifest, const Inventory& inventory);

/// Reads all logs once more and writes the done marker. Fails with Incomplete, naming an item that has no record.
Result<DoneMarker> write_done_marker(const Manifest& manifest, const std::string& shared_dir, std::uint32_t epoch);

/// True when a done marker of the manifest that lies there stands in the folder.
bool is_done(const std::string& shared_dir);

}  // namespace evaljob
