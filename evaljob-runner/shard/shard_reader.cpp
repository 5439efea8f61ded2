#include <limits>

#include "api/assert.hpp"
#include "api/digest.hpp"
#include "evaljob-runner/shard/frame.hpp"
#include "evaljob-runner/shard/shard_json.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/mapped_file.hpp"

namespace evaljob {

namespace {

tl::unexpected<Error> damaged(std::uint64_t offset, const std::string& what) {
    return fail("Damaged", "at byte " + std::to_string(offset) + ": " + what);
}

bool ends_with_footer(std::string_view bytes) {
    constexpr std::size_t size = frame_overhead + footer_payload_size;
    if (bytes.size() < size) return false;
    const auto frame = first_frame(bytes.substr(bytes.size() - size));
    return frame && frame->type == FrameType::Footer;
}

/// Reads one log; `offset` is the end of what was read whole.
class ShardReader {
public:
    ShardReader(std::string_view bytes, const ShardVisitor& visitor) : bytes_(bytes), visitor_(visitor) {}

    Result<ShardSummary> read() {
        if (auto begun = read_start(); !begun) return tl::unexpected(begun.error());
        while (offset_ < bytes_.size() && summary_.end != ShardEnd::Footer) {
            const auto frame = first_frame(bytes_.substr(offset_));
            if (!frame) break;
            EVALJOB_ASSERT(frame->size >= frame_overhead && frame->size <= bytes_.size() - offset_,
                           "a whole frame lies within the bytes");
            if (auto taken = take(*frame); !taken) return tl::unexpected(taken.error());
            offset_ += frame->size;
        }
        return finish();
    }

private:
    Result<void> read_start() {
        if (!bytes_.starts_with(shard_magic)) return damaged(0, "is no shard log (its first 8 bytes are not EVJSHRD1)");
        offset_ = shard_magic.size();
        const auto frame = first_frame(bytes_.substr(offset_));
        if (!frame || frame->type != FrameType::Header) return damaged(offset_, "the header is damaged or missing");
        auto header = decode_shard_header(frame->payload);
        if (!header) return damaged(offset_, header.error().message);
        summary_.header = std::move(*header);
        if (visitor_.header) visitor_.header(summary_.header);
        offset_ += frame->size;
        return {};
    }

    Result<void> take(const Frame& frame) {
        switch (frame.type) {
            case FrameType::Header:
                return damaged(offset_, "a second header");
            case FrameType::Record:
                return take_record(frame.payload);
            case FrameType::BatchEnd:
                return take_batch_end(frame.payload);
            case FrameType::Footer:
                return take_footer(frame.payload);
        }
        return {};
    }

    Result<void> take_record(std::string_view payload) {
        auto record = decode_record(payload);
        if (!record) return damaged(offset_, record.error().message);
        ++summary_.records;
        if (visitor_.record) visitor_.record(std::move(*record));
        return {};
    }

    Result<void> take_batch_end(std::string_view payload) {
        const auto end = decode_batch_end(payload);
        if (!end) return damaged(offset_, end.error().message);
        ++summary_.batches;
        if (visitor_.batch_end) visitor_.batch_end(*end);
        return {};
    }

    Result<void> take_footer(std::string_view payload) {
        const auto footer = decode_footer(payload);
        if (!footer) return damaged(offset_, footer.error().message);
        digest_.update(bytes_.substr(0, offset_));
        digested_ = offset_;
        if (footer->records != summary_.records || footer->sha256 != digest_.hex_so_far()) {
            return damaged(offset_, "the footer's count or digest is not that of the records in front of it");
        }
        summary_.end = ShardEnd::Footer;
        return {};
    }

    Result<ShardSummary> finish() {
        EVALJOB_ASSERT(offset_ <= bytes_.size() && digested_ <= offset_, "what was read lies within the bytes");
        EVALJOB_ASSERT(summary_.end != ShardEnd::TornTail, "a tail is known to be torn only at the end");
        summary_.valid_bytes = offset_;
        summary_.total_bytes = bytes_.size();
        if (offset_ < bytes_.size()) {
            if (summary_.end == ShardEnd::Footer) return damaged(offset_, "bytes behind the footer");
            if (ends_with_footer(bytes_)) return damaged(offset_, "a damaged frame in front of the footer");
            summary_.end = ShardEnd::TornTail;
        }
        digest_.update(bytes_.substr(digested_, offset_ - digested_));
        summary_.sha256 = digest_.hex();
        return std::move(summary_);
    }

    std::string_view bytes_;
    const ShardVisitor& visitor_;
    std::size_t offset_ = 0;
    Sha256 digest_;
    std::size_t digested_ = 0;  // bytes
    ShardSummary summary_;
};

}  // namespace

Result<ShardSummary> read_shard(std::string_view bytes, const ShardVisitor& visitor) {
    return ShardReader(bytes, visitor).read();
}

Result<ShardSummary> read_shard_file(const std::string& path, std::uint64_t length, const ShardVisitor& visitor) {
    const auto file = MappedFile::open(path);
    if (!file) return tl::unexpected(file.error());
    const bool bounded = length != std::numeric_limits<std::uint64_t>::max();
    std::string_view bytes = file->bytes();
    if (bounded && bytes.size() < length) {
        return fail("Damaged", path + ": has " + std::to_string(bytes.size()) + " bytes, " + std::to_string(length) +
                                   " were promised");
    }
    auto summary = read_shard(bytes.substr(0, length), visitor);
    if (!summary) return fail("Damaged", path + ": " + summary.error().message);
    EVALJOB_ASSERT(summary->valid_bytes <= summary->total_bytes, "the valid part is a part");
    if (bounded && summary->valid_bytes != length) {
        return fail("Damaged", path + ": at byte " + std::to_string(summary->valid_bytes) +
                                   ": a damaged frame inside the length that was promised");
    }
    return summary;
}

Result<ShardSummary> read_durable_shard_file(const std::string& path, const ShardVisitor& visitor) {
    const auto file = MappedFile::open_durable(path);
    if (!file) return tl::unexpected(file.error());
    auto summary = read_shard(file->bytes(), visitor);
    if (!summary) return fail("Damaged", path + ": " + summary.error().message);
    return summary;
}

}  // namespace evaljob
