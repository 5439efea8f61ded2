#include "evaljob-runner/shard/done_marker.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "api/digest.hpp"
#include "api/json.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;

DoneMarker marker() {
    return {std::string(64, 'a'),
            3,
            10'000,
            {{"runs/r/node-0/attempt-0/rank-0.0.shard", 1'234, std::string(64, 'b'), 600},
             {"runs/r/node-1/attempt-2/rank-1.0.shard", UINT64_MAX, std::string(64, 'c'), 0}}};
}

TEST(DoneMarker, ComesBackWhole) {
    const auto decoded = decode_done_marker(encode_done_marker(marker()));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(encode_done_marker(*decoded), encode_done_marker(marker()));
    EXPECT_EQ(decoded->identity, std::string(64, 'a'));
    EXPECT_EQ(decoded->epoch, 3U);
    EXPECT_EQ(decoded->items, 10'000U);
    ASSERT_EQ(decoded->shards.size(), 2U);
    EXPECT_EQ(decoded->shards[1].path, "runs/r/node-1/attempt-2/rank-1.0.shard");
    EXPECT_EQ(decoded->shards[1].length, UINT64_MAX);
    EXPECT_EQ(decoded->shards[0].sha256, std::string(64, 'b'));
    EXPECT_EQ(decoded->shards[0].records, 600U);
}

TEST(DoneMarker, WithAnyFlippedBitIsRefusedOrEqual) {
    const std::string bytes = encode_done_marker(marker());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = bytes;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
            const auto decoded = decode_done_marker(flipped);
            if (decoded) {
                EXPECT_EQ(encode_done_marker(*decoded), bytes) << "byte " << at << " bit " << bit;
            } else {
                EXPECT_EQ(decoded.error().reason, "Damaged");
            }
        }
    }
}

TEST(DoneMarker, CutAnywhereIsRefused) {
    const std::string bytes = encode_done_marker(marker());
    for (std::size_t length = 0; length + 1 < bytes.size(); ++length)  // the last byte is a line end
        EXPECT_FALSE(decode_done_marker(bytes.substr(0, length))) << "of " << length << " bytes";
}

struct Path {
    const char* name;
    std::string path;
    bool stays;
};

class DoneMarkerPath : public testing::TestWithParam<Path> {};

TEST_P(DoneMarkerPath, StaysInTheFolder) {
    DoneMarker changed = marker();
    changed.shards[0].path = GetParam().path;  // encoded with a right digest
    const auto decoded = decode_done_marker(encode_done_marker(changed));
    EXPECT_EQ(decoded.has_value(), GetParam().stays);
    if (!decoded) {
        EXPECT_EQ(decoded.error().reason, "Damaged");
        EXPECT_THAT(decoded.error().message, HasSubstr("outside its folder: " + GetParam().path));
    }
}

INSTANTIATE_TEST_SUITE_P(Table, DoneMarkerPath,
                         testing::Values(Path{"Ordinary", "runs/a.shard", true},
                                         Path{"TwoDotsInAName", "runs/a..b", true}, Path{"Empty", "", false},
                                         Path{"Absolute", "/etc/passwd", false}, Path{"Up", "../other/a.shard", false},
                                         Path{"UpInTheMiddle", "runs/../../a.shard", false},
                                         Path{"UpAtTheEnd", "runs/..", false}),
                         [](const auto& row) { return row.param.name; });

struct Malformed {
    const char* name;
    std::function<void(Json&)> spoil;
};

class MalformedDoneMarker : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedDoneMarker, IsRefused) {
    Json fields = Json::parse(encode_done_marker(marker()));
    GetParam().spoil(fields);
    const auto decoded = decode_done_marker(fields.dump());
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().reason, "Damaged");
    EXPECT_THAT(decoded.error().message, HasSubstr("the done marker"));
}

INSTANTIATE_TEST_SUITE_P(Table, MalformedDoneMarker,
                         testing::Values(Malformed{"NoObject", [](Json& j) { j = Json::array(); }},
                                         Malformed{"OtherFormat", [](Json& j) { j["format"] = 2; }},
                                         Malformed{"NoDigest", [](Json& j) { j.erase("digest"); }},
                                         Malformed{"OtherDigest", [](Json& j) { j["digest"] = std::string(64, '0'); }},
                                         Malformed{"DigestNoText", [](Json& j) { j["digest"] = 1; }},
                                         Malformed{"NoShards", [](Json& j) { j.erase("shards"); }},
                                         Malformed{"ShardsNoArray", [](Json& j) { j["shards"] = "all"; }},
                                         Malformed{"OneShardLess", [](Json& j) { j["shards"].erase(1); }},
                                         Malformed{"ShardWithoutLength",
                                                   [](Json& j) { j["shards"][0].erase("length"); }},
                                         Malformed{"NegativeLength", [](Json& j) { j["shards"][0]["length"] = -1; }},
                                         Malformed{"OtherItems", [](Json& j) { j["items"] = 9'999; }},
                                         Malformed{"EpochNoNumber", [](Json& j) { j["epoch"] = "3"; }}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
