// Images as models take them: bytes of red, green and blue, or of grey. Pure; the bytes that are decoded are untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/result.hpp"

namespace evaljob {

inline constexpr std::uint64_t max_image_pixels = std::uint64_t{1} << 26U;

struct Image {
    int width = 0;
    int height = 0;
    int channels = 0;    // 1: grey; 3: red, green, blue
    std::string pixels;  // row by row, a pixel's channels beside each other
};

/// A PNG or JPEG file's picture, as the Python library Pillow gives it for convert("L") and convert("RGB"):
/// transparency, gamma and EXIF's orientation are passed over. One difference: of a grey PNG of 16 bits these are the
/// upper 8 bits of each pixel, where Pillow makes everything above 255 white. Fails with BadInput: another format,
/// damaged, cut, or of more than `max_pixels`.
Result<Image> decode_image(std::string_view file, int channels, std::uint64_t max_pixels = max_image_pixels);

}  // namespace evaljob
