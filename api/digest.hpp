// Checksums: SHA-256 (OpenSSL) for identity and publication, CRC32C (ISA-L) for frames on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/result.hpp"

namespace evaljob {

class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::string_view bytes);
    std::string hex_so_far() const;
    std::string hex();  // ends the digest; 64 lower-case characters. Call once.

private:
    struct State;
    std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

/// Of a file's content as it lies there. Fails with NotFound or ReadFailed, naming the file.
Result<std::string> sha256_file(const std::string& path);

/// CRC32C (Castagnoli) of `bytes`, going on from `previous` (0 to start).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous = 0);

}  // namespace evaljob
