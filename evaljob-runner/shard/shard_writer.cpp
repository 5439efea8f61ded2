#include <fcntl.h>

#include <cerrno>
#include <filesystem>

#include "api/digest.hpp"
#include "evaljob-runner/shard/frame.hpp"
#include "evaljob-runner/shard/shard_json.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

struct ShardWriter::State {
    std::string path;
    FileDescriptor file;
    std::string pending;  // frames that are not written yet
    Sha256 digest;        // of everything handed to the kernel
    std::uint64_t records = 0;

    Result<void> write_pending() {
        digest.update(pending);
        auto wrote = write_all(file.get(), pending, path);
        pending.clear();
        return wrote;
    }

    Result<void> sync() {
        if (disk::sync(file.get()) != 0) return write_failure(path, errno);
        return {};
    }
};

ShardWriter::ShardWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ShardWriter::ShardWriter(ShardWriter&&) noexcept = default;
ShardWriter& ShardWriter::operator=(ShardWriter&&) noexcept = default;
ShardWriter::~ShardWriter() = default;

const std::string& ShardWriter::path() const { return state_->path; }

Result<ShardWriter> ShardWriter::create(const std::string& path, const ShardHeader& header) {
    auto state = std::make_unique<State>();
    state->path = path;
    state->file = FileDescriptor(disk::open(path, O_WRONLY | O_CREAT | O_EXCL));
    if (!state->file && errno == EEXIST) return fail("AlreadyExists", path + ": is there already");
    if (!state->file) return write_failure(path, errno);
    state->pending = shard_magic;
    append_frame(state->pending, FrameType::Header, encode_shard_header(header));
    ShardWriter writer(std::move(state));
    if (auto committed = writer.commit(); !committed) return tl::unexpected(committed.error());
    // A file whose folder entry is not durable is lost with everything in it.
    if (auto synced = sync_folder(std::filesystem::path(path).parent_path().string()); !synced) {
        return tl::unexpected(synced.error());
    }
    return writer;
}

Result<void> ShardWriter::append(const Record& record) {
    const std::string payload = encode_record(record);
    if (payload.size() > max_frame_payload) {
        return fail("TooLarge", "the record of sample " + record.id + " is over 128 MiB");
    }
    append_frame(state_->pending, FrameType::Record, payload);
    ++state_->records;
    if (state_->pending.size() > (std::size_t{1} << 20)) return state_->write_pending();
    return {};
}

Result<void> ShardWriter::append(const BatchEnd& end) {
    append_frame(state_->pending, FrameType::BatchEnd, encode_batch_end(end));
    return {};
}

Result<void> ShardWriter::commit() {
    if (auto wrote = state_->write_pending(); !wrote) return wrote;
    return state_->sync();
}

Result<void> ShardWriter::close() {
    if (auto wrote = state_->write_pending(); !wrote) return wrote;
    std::string footer;
    append_frame(footer, FrameType::Footer, encode_footer({state_->records, state_->digest.hex()}));
    if (auto wrote = write_all(state_->file.get(), footer, state_->path); !wrote) return wrote;
    if (auto synced = state_->sync(); !synced) return synced;
    if (disk::close(state_->file.release()) != 0) return write_failure(state_->path, errno);
    return {};
}

}  // namespace evaljob
