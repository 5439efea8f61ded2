// The frames of a shard log: length (4 bytes, little endian, of the payload), CRC32C over type and payload (4), type
// (1), payload. Nothing else lies between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace evaljob {

inline constexpr std::string_view shard_magic = "EVJSHRD1";
inline constexpr std::size_t frame_overhead = 9;
inline constexpr std::uint32_t max_frame_payload = 128U << 20;  // 128 MiB: above the limit on a prediction

enum class FrameType : std::uint8_t { Header = 'H', Record = 'R', BatchEnd = 'B', Footer = 'F' };

struct Frame {
    FrameType type = FrameType::Header;
    std::string_view payload;
    std::size_t size = 0;  // on disk
};

void append_frame(std::string& out, FrameType type, std::string_view payload);

/// The frame that `bytes` begin with; none when they do not begin with a whole, undamaged one.
std::optional<Frame> first_frame(std::string_view bytes);

}  // namespace evaljob
