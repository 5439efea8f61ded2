#include "api/digest.hpp"

#include <isa-l/crc.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

namespace evaljob {

struct Sha256::State {
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    // EVP_sha256() is looked up anew for each digest, which takes longer than that of a small text.
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    const int started = EVP_DigestInit_ex(state_->context.get(), algorithm, nullptr);
    assert(started == 1);  // only fails without memory
    static_cast<void>(started);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) { EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()); }

std::string Sha256::hex_so_far() const {
    Sha256 copy;
    EVP_MD_CTX_copy_ex(copy.state_->context.get(), state_->context.get());
    return copy.hex();
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size);
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(size * 2);
    for (unsigned int i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 digest;
    digest.update(bytes);
    return digest.hex();
}

Result<std::string> sha256_file(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file) {
        return fail(errno == ENOENT ? "NotFound" : "ReadFailed", path + ": " + std::strerror(errno));
    }
    Sha256 digest;
    std::vector<char> block(std::size_t{1} << 20);
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
        digest.update({block.data(), got});
    }
    if (std::ferror(file.get()) != 0) return fail("ReadFailed", path + ": " + std::strerror(errno));
    return digest.hex();
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous) {
    std::uint32_t crc = ~previous;
    while (!bytes.empty()) {  // ISA-L takes an int
        const auto step = std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max());
        // It reads only, but its prototype lacks the const. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
        auto* start = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
        crc = crc32_iscsi(start, static_cast<int>(step), crc);
        bytes.remove_prefix(step);
    }
    return ~crc;
}

}  // namespace evaljob
