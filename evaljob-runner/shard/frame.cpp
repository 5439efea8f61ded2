#include "evaljob-runner/shard/frame.hpp"

#include "api/assert.hpp"
#include "api/digest.hpp"

namespace evaljob {

namespace {

void append_u32(std::string& out, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>((value >> shift) & 0xFF);
}

std::uint32_t read_u32(std::string_view bytes) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i) value = (value << 8) | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    return value;
}

bool is_frame_type(char c) { return c == 'H' || c == 'R' || c == 'B' || c == 'F'; }

}  // namespace

void append_frame(std::string& out, FrameType type, std::string_view payload) {
    EVALJOB_ASSERT(payload.size() <= max_frame_payload, "a frame that is written can be read again");
    const char tag = static_cast<char>(type);
    append_u32(out, static_cast<std::uint32_t>(payload.size()));
    append_u32(out, crc32c(payload, crc32c({&tag, 1})));
    out += tag;
    out += payload;
}

std::optional<Frame> first_frame(std::string_view bytes) {
    if (bytes.size() < frame_overhead) return std::nullopt;
    const std::uint32_t length = read_u32(bytes);
    if (length > max_frame_payload || bytes.size() - frame_overhead < length || !is_frame_type(bytes[8]))
        return std::nullopt;
    const std::string_view checked = bytes.substr(8, std::size_t{length} + 1);
    if (crc32c(checked) != read_u32(bytes.substr(4))) return std::nullopt;
    return Frame{static_cast<FrameType>(bytes[8]), checked.substr(1), frame_overhead + length};
}

}  // namespace evaljob
