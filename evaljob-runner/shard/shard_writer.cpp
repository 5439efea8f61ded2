#include <utility>

#include "api/assert.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/log_file.hpp"

namespace evaljob {

struct ShardWriter::State {
    ShardEncoder encoder;
    LogFile file;
    bool failed = false;

    Result<void> noted(Result<void> done) {
        failed = failed || !done;
        return done;
    }
    Result<void> write() {
        EVALJOB_ASSERT(!failed, "a log that has failed is abandoned, for a later fsync proves nothing");
        return noted(file.append(encoder.take()));
    }
};

ShardWriter::ShardWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ShardWriter::ShardWriter(ShardWriter&&) noexcept = default;
ShardWriter& ShardWriter::operator=(ShardWriter&&) noexcept = default;
ShardWriter::~ShardWriter() = default;

const std::string& ShardWriter::path() const { return state_->file.path(); }

Result<ShardWriter> ShardWriter::create(const std::string& path, const ShardHeader& header) {
    ShardEncoder encoder(header);
    auto file = LogFile::create(path, encoder.take());
    if (!file) return tl::unexpected(file.error());
    return ShardWriter(std::make_unique<State>(State{std::move(encoder), std::move(*file)}));
}

Result<void> ShardWriter::append(const Record& record) {
    if (auto appended = state_->encoder.append(record); !appended) return appended;
    if (state_->encoder.pending() > (std::size_t{1} << 20)) return state_->write();
    return {};
}

Result<void> ShardWriter::append(const BatchEnd& end) {
    state_->encoder.append(end);
    return {};
}

Result<void> ShardWriter::commit() {
    if (auto wrote = state_->write(); !wrote) return wrote;
    EVALJOB_ASSERT(state_->encoder.pending() == 0, "everything appended is in the file when it is made durable");
    return state_->noted(state_->file.commit());
}

Result<void> ShardWriter::close() {
    if (auto wrote = state_->write(); !wrote) return wrote;
    return state_->noted(state_->file.close(state_->encoder.footer()));
}

}  // namespace evaljob
