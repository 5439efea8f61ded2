#include <utility>

#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/log_file.hpp"

namespace evaljob {

struct ShardWriter::State {
    ShardEncoder encoder;
    LogFile file;
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
    if (state_->encoder.pending() > (std::size_t{1} << 20)) return state_->file.append(state_->encoder.take());
    return {};
}

Result<void> ShardWriter::append(const BatchEnd& end) {
    state_->encoder.append(end);
    return {};
}

Result<void> ShardWriter::commit() {
    if (auto wrote = state_->file.append(state_->encoder.take()); !wrote) return wrote;
    return state_->file.commit();
}

Result<void> ShardWriter::close() {
    if (auto wrote = state_->file.append(state_->encoder.take()); !wrote) return wrote;
    return state_->file.close(state_->encoder.footer());
}

}  // namespace evaljob
