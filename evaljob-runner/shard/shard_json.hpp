// Payloads of a shard log's frames, all but the record's (api/record.hpp). Pure.
#pragma once

#include <string>
#include <string_view>

#include "evaljob-runner/shard/shard_log.hpp"

namespace evaljob {

std::string encode_shard_header(const ShardHeader& header);
Result<ShardHeader> decode_shard_header(std::string_view bytes);

std::string encode_batch_end(const BatchEnd& end);
Result<BatchEnd> decode_batch_end(std::string_view bytes);

/// Of one length always, so that a footer can be found at a file's end: 20 digits of count, 64 of SHA-256.
struct ShardFooter {
    std::uint64_t records = 0;
    std::string sha256;  // of everything in front of the footer's frame
};
inline constexpr std::size_t footer_payload_size = 84;

std::string encode_footer(const ShardFooter& footer);
Result<ShardFooter> decode_footer(std::string_view bytes);

}  // namespace evaljob
