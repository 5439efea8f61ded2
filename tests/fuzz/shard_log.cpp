// Shard logs. A first byte of 1: the rest is frames of a type, two bytes of length and a payload, which are given their
// checksums here, for no fuzzer guesses one. Otherwise the input is the log's bytes themselves.
#include <string>
#include <vector>

#include "evaljob-runner/shard/frame.hpp"
#include "evaljob-runner/shard/shard_json.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

std::string log_of_frames(std::string_view input) {
    std::string log(shard_magic);
    while (input.size() >= 3) {
        const std::size_t length =
            static_cast<unsigned char>(input[1]) + std::size_t{256} * static_cast<unsigned char>(input[2]);
        append_frame(log, static_cast<FrameType>(input[0]), input.substr(3, length));
        input.remove_prefix(std::min(input.size(), 3 + length));
    }
    return log;
}

/// CRC32C bit by bit, independent of the library that the reader has it from.
std::uint32_t plain_crc32c(std::string_view bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    }
    return ~crc;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
    std::uint32_t number = 0;
    for (int i = 3; i >= 0; --i)
        number = (number << 8U) | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
    return number;
}

/// The payloads of the record frames in a prefix that the reader called whole; every frame's checksum is checked.
std::vector<std::string_view> record_payloads(std::string_view log) {
    std::vector<std::string_view> payloads;
    for (std::size_t at = shard_magic.size(); at < log.size();) {
        fuzz::require(log.size() - at >= frame_overhead, "a whole frame is not cut");
        const std::size_t length = number_at(log, at);
        fuzz::require(length <= log.size() - at - frame_overhead, "a whole frame ends inside the log");
        fuzz::require(plain_crc32c(log.substr(at + 8, length + 1)) == number_at(log, at + 4),
                      "no frame counts whose checksum is wrong");
        if (log[at + 8] == 'R') payloads.push_back(log.substr(at + frame_overhead, length));
        at += frame_overhead + length;
    }
    return payloads;
}

void check_record(const Record& record, std::string_view payload) {
    const auto again = decode_record(encode_record(record));
    fuzz::require(again.has_value() && *again == record, "a record that was read and written is the same");
    const auto direct = decode_record(payload);
    fuzz::require(direct.has_value() && *direct == record, "a record is what its frame holds");
}

void check_batch_end(const BatchEnd& end) {
    const auto again = decode_batch_end(encode_batch_end(end));
    fuzz::require(again && encode_batch_end(*again) == encode_batch_end(end), "the end of a batch reads again");
}

void check_log(std::string_view log) {
    std::vector<Record> records;
    const ShardVisitor visitor{[&](Record&& record) { records.push_back(std::move(record)); },
                               [](const BatchEnd& end) { check_batch_end(end); }};
    const auto summary = read_shard(log, visitor);
    if (!summary) return fuzz::require(summary.error().reason == "Damaged", "a refused log is damaged");
    fuzz::require(summary->valid_bytes <= log.size() && summary->total_bytes == log.size(), "lengths fit");
    fuzz::require((summary->end == ShardEnd::TornTail) == (summary->valid_bytes < log.size()), "a torn tail is a rest");
    const auto payloads = record_payloads(log.substr(0, summary->valid_bytes));
    fuzz::require(payloads.size() == records.size() && summary->records == records.size(), "no record is left out");
    for (std::size_t i = 0; i < records.size(); ++i) check_record(records[i], payloads[i]);
    const auto header = decode_shard_header(encode_shard_header(summary->header));
    fuzz::require(header && encode_shard_header(*header) == encode_shard_header(summary->header),
                  "a header reads again");
    const auto prefix = read_shard(log.substr(0, summary->valid_bytes), {});
    fuzz::require(prefix && prefix->records == summary->records && prefix->sha256 == summary->sha256,
                  "what counts of a log is a log");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view input = fuzz::text_of(bytes, size);
    if (size > 0 && bytes[0] == 1)
        check_log(log_of_frames(input.substr(1)));
    else
        check_log(input);
    return 0;
}
