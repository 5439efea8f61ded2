#include "evaljob-runner/image/image.hpp"

#include <spng.h>
#include <turbojpeg.h>

#include <memory>

namespace evaljob {

namespace {

constexpr std::uint32_t max_side = 65'535;                       // JPEG has no longer one
constexpr std::size_t max_chunk_bytes = std::size_t{16} << 20U;  // of a PNG file's texts and profiles
constexpr std::size_t max_chunks_bytes = std::size_t{64} << 20U;

tl::unexpected<Error> bad(const std::string& what) { return fail("BadInput", "the image " + what); }

tl::unexpected<Error> too_large(std::uint64_t width, std::uint64_t height, std::uint64_t max_pixels) {
    return bad("has " + std::to_string(width) + "x" + std::to_string(height) + " pixels; at most " +
               std::to_string(max_pixels) + " are decoded");
}

bool fits(std::uint64_t width, std::uint64_t height, std::uint64_t max_pixels) {
    return width <= max_side && height <= max_side && width * height <= max_pixels;
}

Result<Image> decode_png(std::string_view file, std::uint64_t max_pixels) {
    const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> png(spng_ctx_new(0), &spng_ctx_free);
    if (!png) return bad("cannot be decoded: there is no memory");
    const auto damaged = [](int error) {
        return bad(std::string("is a PNG file that is damaged: ") + spng_strerror(error));
    };
    spng_ihdr header{};
    if (int error = spng_set_chunk_limits(png.get(), max_chunk_bytes, max_chunks_bytes); error != 0)
        return damaged(error);
    if (int error = spng_set_png_buffer(png.get(), file.data(), file.size()); error != 0) return damaged(error);
    if (int error = spng_get_ihdr(png.get(), &header); error != 0) return damaged(error);
    if (!fits(header.width, header.height, max_pixels)) return too_large(header.width, header.height, max_pixels);
    // G8 is had of grey images of at most 8 bits alone.
    const bool grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE && header.bit_depth <= 8;
    const int format = grey ? SPNG_FMT_G8 : SPNG_FMT_RGB8;
    std::size_t size = 0;
    if (int error = spng_decoded_image_size(png.get(), format, &size); error != 0) return damaged(error);
    Image image{static_cast<int>(header.width), static_cast<int>(header.height), grey ? 1 : 3, std::string(size, '\0')};
    if (int error = spng_decode_image(png.get(), image.pixels.data(), size, format, 0); error != 0)
        return damaged(error);
    return image;
}

Result<Image> decode_jpeg(std::string_view file, std::uint64_t max_pixels) {
    const std::unique_ptr<void, int (*)(tjhandle)> jpeg(tjInitDecompress(), &tjDestroy);
    if (!jpeg) return bad("cannot be decoded: there is no memory");
    const auto damaged = [&] {
        return bad(std::string("is a JPEG file that is damaged: ") + tjGetErrorStr2(jpeg.get()));
    };
    const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
    int width = 0;
    int height = 0;
    int sampling = 0;
    int colours = 0;
    if (tjDecompressHeader3(jpeg.get(), bytes, file.size(), &width, &height, &sampling, &colours) != 0)
        return damaged();
    if (colours == TJCS_CMYK || colours == TJCS_YCCK) return bad("has four colours (CMYK); save it as RGB");
    if (width < 1 || height < 1) return bad("is a JPEG file that is damaged: it has no picture");
    if (!fits(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), max_pixels))
        return too_large(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), max_pixels);
    const bool grey = colours == TJCS_GRAY;
    Image image{width, height, grey ? 1 : 3, {}};
    image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * (grey ? 1 : 3));
    const int done =
        tjDecompress2(jpeg.get(), bytes, file.size(), reinterpret_cast<unsigned char*>(image.pixels.data()), width, 0,
                      height, grey ? TJPF_GRAY : TJPF_RGB, TJFLAG_LIMITSCANS);
    if (done == 0) return image;
    // Much of what the world has is slightly wrong and looks well all the same; a file that was cut is grey in part.
    const bool cut = std::string_view(tjGetErrorStr2(jpeg.get())).find("Premature end of") != std::string_view::npos;
    if (cut || tjGetErrorCode(jpeg.get()) != TJERR_WARNING) return damaged();
    return image;
}

/// ITU-R 601's weights, in 16 bits.
void make_grey(Image& image) {
    const std::size_t pixels = image.pixels.size() / 3;
    for (std::size_t i = 0; i < pixels; ++i) {
        const auto at = [&](std::size_t channel) {
            return static_cast<std::uint32_t>(static_cast<unsigned char>(image.pixels[3 * i + channel]));
        };
        image.pixels[i] = static_cast<char>((at(0) * 19595 + at(1) * 38470 + at(2) * 7471 + 0x8000) >> 16U);
    }
    image.pixels.resize(pixels);
    image.channels = 1;
}

void make_coloured(Image& image) {
    std::string pixels;
    pixels.reserve(3 * image.pixels.size());
    for (const char grey : image.pixels) pixels.append(3, grey);
    image.pixels = std::move(pixels);
    image.channels = 3;
}

}  // namespace

Result<Image> decode_image(std::string_view file, int channels, std::uint64_t max_pixels) {
    Result<Image> image = bad("is neither PNG nor JPEG");
    if (file.starts_with("\x89PNG\r\n\x1a\n")) image = decode_png(file, max_pixels);
    if (file.starts_with("\xff\xd8\xff")) image = decode_jpeg(file, max_pixels);
    if (!image) return image;
    if (channels == 1 && image->channels == 3) make_grey(*image);
    if (channels == 3 && image->channels == 1) make_coloured(*image);
    return image;
}

}  // namespace evaljob
