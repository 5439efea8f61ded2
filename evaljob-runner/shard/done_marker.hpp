// The done marker: written once by the coordinator when every item has a record. It lists each shard log that counts
// with its length and digest; the merge reads only what it lists, so a zombie that still writes changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/result.hpp"

namespace evaljob {

struct DoneShard {
    std::string path;          // relative to the shared folder
    std::uint64_t length = 0;  // bytes that count
    std::string sha256;        // of those bytes
    std::uint64_t records = 0;
};

struct DoneMarker {
    std::string identity;
    std::uint32_t epoch = 0;  // of the coordinator that wrote it
    std::uint64_t items = 0;
    std::vector<DoneShard> shards;
    std::string run_id = {};  // whose coordinator wrote it; empty in markers of older versions
};

std::string encode_done_marker(const DoneMarker& marker);  // JSON with a digest over itself
/// Fails with Damaged when it is malformed, its digest is wrong, or a path leaves the shared folder.
Result<DoneMarker> decode_done_marker(std::string_view bytes);

}  // namespace evaljob
