#include "api/digest.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace evaljob::test {
namespace {

struct Vector {
    const char* name;
    std::string bytes;
    const char* sha256;    // FIPS 180-4's examples
    std::uint32_t crc32c;  // RFC 3720, B.4; "123456789" is CRC's check value
};

class Digest : public testing::TestWithParam<Vector> {};

TEST_P(Digest, EqualsThePublishedOne) {
    const auto& [name, bytes, sha256, crc] = GetParam();
    EXPECT_EQ(sha256_hex(bytes), sha256);
    EXPECT_EQ(crc32c(bytes), crc);
}

TEST_P(Digest, DoesNotDependOnHowTheBytesAreCut) {
    const std::string& bytes = GetParam().bytes;
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        const std::string_view all(bytes);
        EXPECT_EQ(crc32c(all.substr(cut), crc32c(all.substr(0, cut))), GetParam().crc32c) << "cut at " << cut;
        Sha256 digest;
        digest.update(all.substr(0, cut));
        digest.update(all.substr(cut));
        EXPECT_EQ(digest.hex(), GetParam().sha256) << "cut at " << cut;
    }
}

std::string counting() {
    std::string bytes;
    for (char c = 0; c < 32; ++c) bytes += c;
    return bytes;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Digest,
    testing::Values(
        Vector{"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0},
        Vector{"abc", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 0x364B3FB7},
        Vector{"digits", "123456789", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225", 0xE3069283},
        Vector{"zeros", std::string(32, '\0'), "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925",
               0x8A9136AA},
        Vector{"ones", std::string(32, '\xff'), "af9613760f72635fbdb44a5a0a63c39f12af30f950a6ee5c971be188e89c4051",
               0x62A8AB43},
        Vector{"counting", counting(), "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd", 0x46DD794E}),
    [](const auto& row) { return row.param.name; });

TEST(Sha256File, DigestsTheFileAsItLiesThere) {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("evaljob-digest-" + std::to_string(::getpid()))).string();
    const std::string bytes(3'000'000, '\x07');  // more than one block
    std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_EQ(sha256_file(path).value(), sha256_hex(bytes));
    std::filesystem::remove(path);
    const auto missing = sha256_file(path);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().reason, "NotFound");
    EXPECT_NE(missing.error().message.find(path), std::string::npos);
    EXPECT_EQ(sha256_file(std::filesystem::temp_directory_path().string()).error().reason, "ReadFailed");
}

}  // namespace
}  // namespace evaljob::test
