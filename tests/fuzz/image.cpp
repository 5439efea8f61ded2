// Images of others: PNG and JPEG files.
#include "evaljob-runner/image/image.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    constexpr std::uint64_t most = 1U << 16U;
    for (const int channels : {1, 3}) {
        const auto image = decode_image(fuzz::text_of(bytes, size), channels, most);
        if (!image) {
            fuzz::require(image.error().reason == "BadInput", "a refusal is one of bad input");
            fuzz::require(image.error().message.starts_with("the image "), "and says what it is about");
            continue;
        }
        fuzz::require(image->channels == channels && image->width > 0 && image->height > 0,
                      "an image has its channels");
        const auto pixels = static_cast<std::uint64_t>(image->width) * static_cast<std::uint64_t>(image->height);
        fuzz::require(pixels <= most, "no more is decoded than the limit");
        fuzz::require(image->pixels.size() == pixels * static_cast<std::uint64_t>(channels), "a pixel has its bytes");
    }
    return 0;
}
