#include "evaljob-runner/launch/received_logs.hpp"

#include <utility>

#include "api/assert.hpp"
#include "api/names.hpp"
#include "evaljob-runner/shard/frame.hpp"
#include "evaljob-runner/shard/shard_json.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

tl::unexpected<Error> no_log(const std::string& what) {
    return fail("BadMessage", "a rank sends what is no shard log of this run: " + what);
}

/// Above the whole frames that `bytes` begin with; none of them may be of another kind than a batch has.
Result<std::size_t> whole_frames(std::string_view bytes, std::set<LeaseNumber>& ended) {
    std::size_t end = 0;
    while (const auto frame = first_frame(bytes.substr(end))) {
        if (frame->type == FrameType::BatchEnd) {
            const auto batch = decode_batch_end(frame->payload);
            if (!batch) return no_log(batch.error().message);
            ended.insert(batch->lease);
        } else if (frame->type != FrameType::Record) {
            return no_log("a frame that is neither a record nor a batch's end");
        }
        EVALJOB_ASSERT(frame->size <= bytes.size() - end, "a whole frame lies within the bytes");
        end += frame->size;
    }
    if (bytes.size() - end > frame_overhead + max_frame_payload) return no_log("a damaged frame");
    return end;
}

}  // namespace

ReceivedLogs::ReceivedLogs(std::string shared_dir, std::string identity, std::string run_id, std::uint32_t epoch)
    : shared_dir_(std::move(shared_dir)), identity_(std::move(identity)), run_id_(std::move(run_id)), epoch_(epoch) {}

Result<void> ReceivedLogs::append(SessionId session, const Append& append) {
    if (broken_) return tl::unexpected(*broken_);
    std::string_view bytes = append.bytes;
    const std::uint64_t received = is_open(session) ? logs_.at(session).received : 0;
    if (append.offset + bytes.size() <= received) return {};
    if (append.offset != received) return no_log("bytes are missing in it");
    if (!is_open(session)) {
        if (auto begun = begin(session, bytes); !begun) return begun;
    }
    Log& log = logs_.at(session);
    log.received = append.offset + append.bytes.size();
    return take_frames(log, bytes);
}

Result<void> ReceivedLogs::begin(SessionId session, std::string_view& bytes) {
    if (!bytes.starts_with(shard_magic)) return no_log("it does not begin as one");
    const auto frame = first_frame(bytes.substr(shard_magic.size()));
    if (!frame || frame->type != FrameType::Header) return no_log("its header is damaged or missing");
    const auto header = decode_shard_header(frame->payload);
    if (!header) return no_log(header.error().message);
    if (header->identity != identity_ || header->run_id != run_id_) return no_log("it is of another evaluation or run");
    const std::string folder = names::output_dir(shared_dir_, run_id_, header->node_rank, header->attempt);
    if (auto made = make_folders(folder); !made) return broken(made.error());
    // Epoch and session are used once, so the name is free.
    const std::string name = "rank-" + std::to_string(header->rank) + ".received-" + std::to_string(epoch_) + "-" +
                             std::to_string(session) + ".shard";
    const std::size_t start = shard_magic.size() + frame->size;
    auto file = LogFile::create(folder + "/" + name, bytes.substr(0, start));
    if (!file) return broken(file.error());
    logs_.emplace(session, Log{std::move(*file), {}, 0, false, {}});
    bytes.remove_prefix(start);
    return {};
}

Result<void> ReceivedLogs::take_frames(Log& log, std::string_view bytes) {
    log.rest += bytes;
    std::set<LeaseNumber> ended;
    const auto whole = whole_frames(log.rest, ended);
    if (!whole) return tl::unexpected(whole.error());
    if (*whole == 0) return {};
    if (auto appended = log.file.append(std::string_view(log.rest).substr(0, *whole)); !appended)
        return broken(appended.error());
    log.dirty = true;
    EVALJOB_ASSERT(*whole <= log.rest.size(), "only what has come is written");
    log.whole.merge(ended);
    log.rest.erase(0, *whole);
    return {};
}

Result<void> ReceivedLogs::commit() {
    if (broken_) return tl::unexpected(*broken_);
    for (auto& [session, log] : logs_) {
        if (!std::exchange(log.dirty, false)) continue;
        if (auto committed = log.file.commit(); !committed) return broken(committed.error());
    }
    return {};
}

tl::unexpected<Error> ReceivedLogs::broken(const Error& error) {
    broken_ = error;
    return tl::unexpected(error);
}

std::string ReceivedLogs::path_of(SessionId session) const {
    const auto log = logs_.find(session);
    return log == logs_.end() ? "" : log->second.file.path().substr(shared_dir_.size() + 1);
}

bool ReceivedLogs::holds(SessionId session, LeaseNumber lease) {
    const auto log = logs_.find(session);
    return log != logs_.end() && log->second.whole.erase(lease) > 0;
}

}  // namespace evaljob
