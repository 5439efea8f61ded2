#include "evaljob-runner/engine/openai/content_encoding.hpp"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "evaljob-runner/engine/engine_text.hpp"

namespace evaljob::openai {

namespace {

constexpr int gzip_alone = 16 + MAX_WBITS;  // not zlib's own format
constexpr std::size_t block_bytes = std::size_t{64} << 10U;

tl::unexpected<Error> damaged(const char* what) {
    return fail("Garbled", std::string("its gzip body is damaged: ") + what, true);
}

/// One member of a gzip text, which `stream` has the rest of, behind what is there of `plain`.
Result<void> inflate_member(z_stream& stream, std::string& plain, std::size_t limit) {
    std::string block(block_bytes, '\0');
    for (int code = Z_OK; code != Z_STREAM_END;) {
        stream.next_out = reinterpret_cast<Bytef*>(block.data());
        stream.avail_out = static_cast<uInt>(block.size());
        code = ::inflate(&stream, Z_NO_FLUSH);
        if (code == Z_BUF_ERROR) return damaged("it ends early");
        if (code != Z_OK && code != Z_STREAM_END) return damaged(stream.msg != nullptr ? stream.msg : "no more memory");
        const std::size_t got = block.size() - stream.avail_out;
        if (got > limit - plain.size())
            return fail("TooLarge", "its body has more than " + std::to_string(limit) + " bytes when decompressed");
        plain.append(block, 0, got);
    }
    return {};
}

Result<std::string> gunzip(const std::string& bytes, std::size_t limit) {
    z_stream stream{};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    if (::inflateInit2(&stream, gzip_alone) != Z_OK) return damaged("no more memory");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &::inflateEnd);
    std::string plain;
    do {  // several members, one behind the other, are one text: RFC 1952
        ::inflateReset(&stream);
        if (auto member = inflate_member(stream, plain, limit); !member) return tl::unexpected(member.error());
    } while (stream.avail_in > 0);
    return plain;
}

}  // namespace

Result<std::string> decode_content(const std::string& encoding, std::string body, std::size_t limit) {
    std::string name = encoding;
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (name.empty() || name == "identity") return body;
    if (name == "gzip" || name == "x-gzip") return gunzip(body, limit);
    return fail("Garbled",
                "its body has the encoding " + readable(encoding, 64) + ", which nobody asked for; gzip was allowed",
                true);
}

}  // namespace evaljob::openai
