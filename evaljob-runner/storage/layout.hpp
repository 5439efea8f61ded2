// Where everything lies below a job's shared folder (EVALJOB_SHARED_DIR). docs/formats.md shows the tree.
//
//   manifest.jsonl                                   what is to be evaluated
//   epochs/000001                                    a file per coordinator that ever started: the logs it knows of
//   runs/RUN/node-NODE/attempt-ATTEMPT/*.shard       the shard logs; one writer, one file
//   done.json                                        the done marker: the logs that count, with length and digest
//   results/sha256-DIGEST/                           published output
//   CURRENT                                          the name of the folder that is current
#pragma once

#include <cstdint>
#include <string>

namespace evaljob::layout {

/// Whoever reads these refuses larger ones.
inline constexpr std::uint64_t max_manifest_bytes = std::uint64_t{16} << 30U;
inline constexpr std::uint64_t max_done_marker_bytes = std::uint64_t{256} << 20U;
inline constexpr std::uint64_t max_epoch_bytes = std::uint64_t{64} << 20U;

inline std::string manifest(const std::string& shared) { return shared + "/manifest.jsonl"; }
inline std::string epochs(const std::string& shared) { return shared + "/epochs"; }
inline std::string epoch(const std::string& shared, std::uint32_t number) {
    const std::string digits = std::to_string(number);
    return epochs(shared) + "/" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}
inline std::string runs(const std::string& shared) { return shared + "/runs"; }
inline std::string done_marker(const std::string& shared) { return shared + "/done.json"; }
inline std::string results(const std::string& shared) { return shared + "/results"; }
inline std::string current(const std::string& shared) { return shared + "/CURRENT"; }

}  // namespace evaljob::layout
