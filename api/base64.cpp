#include "api/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace evaljob {

std::string base64_encode(const std::string& bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP writes a final NUL
    const auto size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::optional<std::string> base64_decode(const std::string& text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes(text.size() / 4 * 3, '\0');
    const auto size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    // EVP counts the padding as bytes.
    const auto padding = std::count(text.end() - std::min<std::ptrdiff_t>(2, text.size()), text.end(), '=');
    bytes.resize(static_cast<std::size_t>(size) - static_cast<std::size_t>(padding));
    return bytes;
}

}  // namespace evaljob
