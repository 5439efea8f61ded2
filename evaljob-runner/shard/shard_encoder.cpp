#include <utility>

#include "api/assert.hpp"
#include "api/digest.hpp"
#include "evaljob-runner/shard/frame.hpp"
#include "evaljob-runner/shard/shard_json.hpp"
#include "evaljob-runner/shard/shard_log.hpp"

namespace evaljob {

struct ShardEncoder::State {
    std::string pending;
    Sha256 digest;  // of everything taken
    std::uint64_t records = 0;
    bool ended = false;
};

ShardEncoder::ShardEncoder(const ShardHeader& header) : state_(std::make_unique<State>()) {
    state_->pending = shard_magic;
    append_frame(state_->pending, FrameType::Header, encode_shard_header(header));
}

ShardEncoder::ShardEncoder(ShardEncoder&&) noexcept = default;
ShardEncoder& ShardEncoder::operator=(ShardEncoder&&) noexcept = default;
ShardEncoder::~ShardEncoder() = default;

Result<void> ShardEncoder::append(const Record& record) {
    EVALJOB_ASSERT(!state_->ended, "nothing stands behind a footer");
    const std::string payload = encode_record(record);
    if (payload.size() > max_frame_payload) {
        return fail("TooLarge", "the record of sample " + record.id + " is over 128 MiB");
    }
    append_frame(state_->pending, FrameType::Record, payload);
    ++state_->records;
    return {};
}

void ShardEncoder::append(const BatchEnd& end) {
    EVALJOB_ASSERT(!state_->ended, "nothing stands behind a footer");
    EVALJOB_ASSERT(state_->records >= end.samples, "the records of a batch stand in front of its end");
    append_frame(state_->pending, FrameType::BatchEnd, encode_batch_end(end));
}

std::size_t ShardEncoder::pending() const { return state_->pending.size(); }

std::string ShardEncoder::take() {
    state_->digest.update(state_->pending);
    return std::exchange(state_->pending, {});
}

std::string ShardEncoder::footer() {
    EVALJOB_ASSERT(!state_->ended, "a log has one footer");
    EVALJOB_ASSERT(state_->pending.empty(), "the footer's digest covers everything in front of it");
    state_->ended = true;
    std::string frame;
    append_frame(frame, FrameType::Footer, encode_footer({state_->records, state_->digest.hex()}));
    EVALJOB_ASSERT(frame.size() == frame_overhead + footer_payload_size, "a footer is found by its size");
    return frame;
}

}  // namespace evaljob
