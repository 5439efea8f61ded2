// The shard log: results of one writer in one file, opened exclusively, never appended to by a second writer.
// docs/formats.md describes the bytes: 8 bytes of magic, then frames of (length, CRC32C, type, payload); a footer last.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/record.hpp"
#include "api/result.hpp"

namespace evaljob {

/// The first frame: who wrote this log, and for which evaluation.
struct ShardHeader {
    std::string identity;  // of the evaluation; the merge refuses a log of another one as foreign
    std::string run_id;
    std::int32_t rank = 0;
    std::int32_t node_rank = 0;
    std::int32_t local_rank = 0;
    std::int32_t attempt = 0;
    std::string device;   // "cpu", "cuda:0 GPU-…"
    std::string library;  // "libtorch 2.11.0"
    std::int32_t threads = 1;
    std::int64_t opened_us = 0;  // Unix time in microseconds, for the timeline only
};

/// The frame behind the last record of a batch: the batch is complete in this log.
struct BatchEnd {
    std::uint64_t batch = 0;
    LeaseNumber lease;
    std::int64_t begin_us = 0;  // Unix time; for cost and timeline, never for results
    std::int64_t end_us = 0;
    std::uint32_t samples = 0;
    std::uint32_t parts = 1;  // that it was evaluated in; more: what shared a batch is not what was planned
};

/// A log's bytes in their order; whoever has them writes them to a file, or sends them to who does. Pure.
class ShardEncoder {
public:
    /// Begins with magic and header.
    explicit ShardEncoder(const ShardHeader& header);
    ShardEncoder(ShardEncoder&&) noexcept;
    ShardEncoder& operator=(ShardEncoder&&) noexcept;
    ~ShardEncoder();

    /// Fails with TooLarge.
    Result<void> append(const Record& record);
    void append(const BatchEnd& end);
    /// How many bytes nobody has taken yet.
    std::size_t pending() const;
    /// The bytes since the last take().
    std::string take();
    /// The last frame, of everything that was taken. Call once.
    std::string footer();

private:
    struct State;
    std::unique_ptr<State> state_;
};

class ShardWriter {
public:
    /// Creates the file (O_EXCL) with its header. Fails with AlreadyExists, WriteFailed or NoSpace.
    static Result<ShardWriter> create(const std::string& path, const ShardHeader& header);

    ShardWriter(ShardWriter&&) noexcept;
    ShardWriter& operator=(ShardWriter&&) noexcept;
    ~ShardWriter();  // closes without footer, as a crash would

    Result<void> append(const Record& record);
    Result<void> append(const BatchEnd& end);

    /// Makes everything appended durable. After a failure the file must be abandoned: a later fsync proves nothing.
    Result<void> commit();

    /// Footer, fsync, close (checked).
    Result<void> close();

    const std::string& path() const;

private:
    struct State;
    explicit ShardWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// How a log's bytes end.
enum class ShardEnd {
    Footer,    // whole, count and digest in the footer agree
    Open,      // whole frames up to the end, no footer: the writer died or still writes
    TornTail,  // whole frames, then bytes that are no frame: what a crash in the middle of a write leaves
};

struct ShardSummary {
    ShardHeader header;
    ShardEnd end = ShardEnd::Open;
    std::uint64_t valid_bytes = 0;  // the prefix of whole frames
    std::uint64_t total_bytes = 0;
    std::uint64_t records = 0;
    std::uint64_t batches = 0;
    std::string sha256;  // of the valid prefix
};

struct ShardVisitor {
    std::function<void(Record&&)> record;
    std::function<void(const BatchEnd&)> batch_end;
    std::function<void(const ShardHeader&)> header = {};  // before any record
};

/// Reads a log's bytes front to back. Fails with Damaged when the magic or header is not one, when a frame in front of
/// the end is damaged but a footer stands behind it, or when a frame of good checksum holds what is no record.
/// A torn tail is not a failure: it is reported as such.
Result<ShardSummary> read_shard(std::string_view bytes, const ShardVisitor& visitor);

/// The same over a file of which only the first `length` bytes count (length = UINT64_MAX: all).
/// With a finite length every frame must be whole up to exactly there, else Damaged.
Result<ShardSummary> read_shard_file(const std::string& path, std::uint64_t length, const ShardVisitor& visitor);

/// A whole log as a loss of power would leave it (MappedFile::open_durable): what a writer has not made durable is made
/// so or not seen. For decisions that outlive the writer.
Result<ShardSummary> read_durable_shard_file(const std::string& path, const ShardVisitor& visitor);

}  // namespace evaljob
