// PNG and JPEG files as pixels: what Pillow's convert("L") and convert("RGB") make of them.
#include "evaljob-runner/image/image.hpp"

#include <gmock/gmock.h>
#include <spng.h>
#include <turbojpeg.h>

#include <cstdlib>
#include <memory>
#include <vector>

namespace evaljob::test {
namespace {

using testing::HasSubstr;

struct Header {
    std::uint32_t width;
    std::uint32_t height;
    std::uint8_t depth;
    std::uint8_t colour;
};

std::string png(const Header& header, const std::string& pixels, const std::vector<spng_plte_entry>& palette = {}) {
    const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> png(spng_ctx_new(SPNG_CTX_ENCODER), &spng_ctx_free);
    spng_set_option(png.get(), SPNG_ENCODE_TO_BUFFER, 1);
    spng_ihdr ihdr{header.width, header.height, header.depth, header.colour, 0, 0, 0};
    spng_set_ihdr(png.get(), &ihdr);
    spng_plte colours{};
    for (const auto& entry : palette) colours.entries[colours.n_entries++] = entry;
    if (!palette.empty()) spng_set_plte(png.get(), &colours);
    EXPECT_EQ(spng_encode_image(png.get(), pixels.data(), pixels.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
    std::size_t size = 0;
    int error = 0;
    char* bytes = static_cast<char*>(spng_get_png_buffer(png.get(), &size, &error));
    std::string file(bytes, size);
    std::free(bytes);
    return file;
}

std::string jpeg(int width, int height, int format, const std::string& pixels, int sampling) {
    const std::unique_ptr<void, int (*)(tjhandle)> jpeg(tjInitCompress(), &tjDestroy);
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    EXPECT_EQ(tjCompress2(jpeg.get(), reinterpret_cast<const unsigned char*>(pixels.data()), width, 0, height, format,
                          &bytes, &size, sampling, 95, 0),
              0);
    std::string file(reinterpret_cast<char*>(bytes), size);
    tjFree(bytes);
    return file;
}

std::string pixels_of(const std::string& file, int channels) {
    const auto image = decode_image(file, channels);
    return image ? image->pixels : image.error().message;
}

std::string refusal(const std::string& file) {
    const auto image = decode_image(file, 3);
    return image ? "" : image.error().reason + ": " + image.error().message;
}

const std::string colours{'\xff', 0, 0, 0, '\xff', 0, 0, 0, '\xff', 10, '\xc8', 30};  // red, green, blue, another
const std::string in_grey{76, '\x96', 29, 124};

TEST(Png, OfColoursIsTheSameInColourAndWeighedInGrey) {
    const auto image = decode_image(png({2, 2, 8, SPNG_COLOR_TYPE_TRUECOLOR}, colours), 3);
    ASSERT_TRUE(image);
    EXPECT_EQ(image->width, 2);
    EXPECT_EQ(image->height, 2);
    EXPECT_EQ(image->pixels, colours);
    EXPECT_EQ(pixels_of(png({4, 1, 8, SPNG_COLOR_TYPE_TRUECOLOR}, colours), 1), in_grey);
}

TEST(Png, OfGreyIsTheSameInGreyAndThriceInColour) {
    const std::string file = png({3, 1, 8, SPNG_COLOR_TYPE_GRAYSCALE}, {1, 2, '\xff'});
    EXPECT_EQ(pixels_of(file, 1), std::string({1, 2, '\xff'}));
    EXPECT_EQ(pixels_of(file, 3), std::string({1, 1, 1, 2, 2, 2, '\xff', '\xff', '\xff'}));
}

TEST(Png, OfEveryOtherKindIsTakenForItsColours) {
    EXPECT_EQ(pixels_of(png({1, 1, 8, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA}, {10, '\xc8', 30, 0}), 3),
              std::string({10, '\xc8', 30}))
        << "transparency is passed over";
    EXPECT_EQ(pixels_of(png({1, 1, 8, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA}, {7, 0}), 1), std::string(1, 7));
    EXPECT_EQ(pixels_of(png({2, 1, 8, SPNG_COLOR_TYPE_INDEXED}, {1, 0}, {{1, 2, 3, 255}, {4, 5, 6, 255}}), 3),
              std::string({4, 5, 6, 1, 2, 3}));
    EXPECT_EQ(pixels_of(png({8, 1, 1, SPNG_COLOR_TYPE_GRAYSCALE}, {'\xa0'}), 1),
              std::string({'\xff', 0, '\xff', 0, 0, 0, 0, 0}));
}

TEST(Png, OfSixteenBitsIsItsUpperEight) {
    // Pillow makes everything above 255 white of the grey one, so that hardly a picture is left.
    const std::vector<std::uint16_t> values{0x1234, 0x00FF, 0xABCD};  // the encoder takes them as the machine has them
    const std::string grey(reinterpret_cast<const char*>(values.data()), 6);
    EXPECT_EQ(pixels_of(png({3, 1, 16, SPNG_COLOR_TYPE_GRAYSCALE}, grey), 1), std::string({0x12, 0, '\xab'}));
    EXPECT_EQ(pixels_of(png({3, 1, 16, SPNG_COLOR_TYPE_GRAYSCALE}, grey), 3),
              std::string({0x12, 0x12, 0x12, 0, 0, 0, '\xab', '\xab', '\xab'}));
    EXPECT_EQ(pixels_of(png({1, 1, 16, SPNG_COLOR_TYPE_TRUECOLOR}, grey), 3), std::string({0x12, 0, '\xab'}));
}

TEST(Jpeg, OfColoursIsNearlyTheSame) {
    std::string square;
    for (int i = 0; i < 16 * 16; ++i) square += std::string({10, '\xc8', 30});
    const std::string pixels = pixels_of(jpeg(16, 16, TJPF_RGB, square, TJSAMP_420), 3);
    ASSERT_EQ(pixels.size(), square.size());
    for (std::size_t i = 0; i < pixels.size(); ++i)
        ASSERT_NEAR(static_cast<unsigned char>(pixels[i]), static_cast<unsigned char>(square[i]), 2) << i;
    EXPECT_NEAR(static_cast<unsigned char>(pixels_of(jpeg(16, 16, TJPF_RGB, square, TJSAMP_420), 1)[0]), 124, 2);
}

TEST(Jpeg, OfGreyHasOneChannelOrThreeOfTheSame) {
    const std::string file = jpeg(8, 8, TJPF_GRAY, std::string(64, 100), TJSAMP_GRAY);
    EXPECT_EQ(pixels_of(file, 1), std::string(64, 100));
    EXPECT_EQ(pixels_of(file, 3), std::string(192, 100));
}

TEST(Jpeg, WithTooMuchInItIsTaken) {
    const std::string file = jpeg(8, 8, TJPF_GRAY, std::string(64, 100), TJSAMP_GRAY);
    EXPECT_EQ(pixels_of(file + "more", 1), std::string(64, 100));
}

TEST(Image, ThatIsNoneIsRefused) {
    EXPECT_EQ(refusal(""), "BadInput: the image is neither PNG nor JPEG");
    EXPECT_EQ(refusal("GIF89a"), "BadInput: the image is neither PNG nor JPEG");
}

TEST(Image, ThatWasCutIsRefused) {
    const std::string grey(64 * 64, 100);
    const std::string cut_png = png({64, 64, 8, SPNG_COLOR_TYPE_GRAYSCALE}, grey);
    const std::string cut_jpeg = jpeg(64, 64, TJPF_GRAY, grey, TJSAMP_GRAY);
    for (const std::size_t lost : {20U, 30U})
        EXPECT_THAT(refusal(cut_png.substr(0, cut_png.size() - lost)), HasSubstr("is a PNG file that is damaged: "));
    EXPECT_THAT(refusal(cut_png.substr(0, 10)), HasSubstr("is a PNG file that is damaged: "));
    EXPECT_THAT(refusal(cut_jpeg.substr(0, cut_jpeg.size() - 20)), HasSubstr("is a JPEG file that is damaged: "));
    EXPECT_THAT(refusal(cut_jpeg.substr(0, 10)), HasSubstr("is a JPEG file that is damaged: "));
}

TEST(Image, OfFourColoursIsRefused) {
    EXPECT_THAT(refusal(jpeg(8, 8, TJPF_CMYK, std::string(256, 100), TJSAMP_444)), HasSubstr("has four colours"));
}

TEST(Image, ThatIsTooLargeIsRefusedByWhatItSays) {
    std::string file = png({64, 64, 8, SPNG_COLOR_TYPE_GRAYSCALE}, std::string(64 * 64, 0));
    const auto image = decode_image(file, 1, 4095);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().message, "the image has 64x64 pixels; at most 4095 are decoded");
    const auto other = decode_image(jpeg(64, 64, TJPF_GRAY, std::string(64 * 64, 0), TJSAMP_GRAY), 1, 4095);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().message, image.error().message);
}

}  // namespace
}  // namespace evaljob::test
