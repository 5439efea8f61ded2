#include "evaljob-runner/coordinator/protocol.hpp"

#include <gtest/gtest.h>

#include <random>

#include "api/json.hpp"
#include "tests/unit/runner/hellos.hpp"

namespace evaljob::test {
namespace {

Hello full_hello() {
    Hello hello = cuda_hello_of(4, 3, 2, 1);
    hello.contract.attempt = 7;
    hello.restart = 2;
    hello.held = {{{3, 9}, 12}, {{3, UINT64_MAX}, UINT64_MAX}};
    return hello;
}

struct Row {
    const char* name;
    Message message;
};

class Protocol : public testing::TestWithParam<Row> {};

TEST_P(Protocol, MessagesComeBackWhole) {
    const auto& message = GetParam().message;
    const std::string bytes = encode_message(message);
    const auto decoded = decode_message(bytes);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->index(), message.index());
    // Encoding is injective, so equal bytes are equal messages; one message is held field by field below.
    EXPECT_EQ(encode_message(*decoded), bytes);
}

TEST_P(Protocol, EveryCutIsAnError) {
    const std::string bytes = encode_message(GetParam().message);
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_FALSE(decode_message(bytes.substr(0, length))) << "of " << length << " bytes";
}

// What is left of a message without one of its fields is an Error: no field has a default on the wire.
TEST_P(Protocol, EveryFieldIsNeeded) {
    const Json whole = Json::parse(encode_message(GetParam().message));
    for (const auto& [key, value] : whole.items()) {
        Json less = whole;
        less.erase(key);
        EXPECT_FALSE(decode_message(less.dump())) << "without " << key;
        Json other = whole;
        other[key] = Json::array({Json::object()});
        EXPECT_FALSE(decode_message(other.dump())) << key << " of another type";
    }
}

INSTANTIATE_TEST_SUITE_P(Table, Protocol,
                         testing::Values(Row{"Hello", full_hello()}, Row{"Want", Want{5}},
                                         Row{"Done", Done{{2, 3}, 4, 5, 6, 7'000'000'000, "", "rank-3.0.shard"}},
                                         Row{"Return", Return{{2, 3}}}, Row{"Heartbeat", Heartbeat{}},
                                         Row{"Join", Join{"10.1.2.3:4"}},
                                         Row{"Group", Group{UINT64_MAX, 1, {"a:1", "b:2"}}},
                                         Row{"Abort", Abort{12, "model: \"x\"\n is missing"}},
                                         Row{"Welcome", Welcome{8, "abc", 1500}}, Row{"Refused", Refused{10, "RANK"}},
                                         Row{"Lease", Lease{{2, 3}, UINT64_MAX}}, Row{"Ack", Ack{{2, 3}}},
                                         Row{"Finished", Finished{}}),
                         [](const auto& row) { return row.param.name; });

TEST(Protocol, HelloComesBackFieldByField) {
    const Hello sent = full_hello();
    const auto decoded = decode_message(encode_message(sent));
    ASSERT_TRUE(decoded);
    const auto& got = std::get<Hello>(*decoded);
    EXPECT_EQ(got.version, protocol_version);
    EXPECT_EQ(got.token, sent.token);
    EXPECT_EQ(got.contract, sent.contract);
    EXPECT_EQ(got.restart, 2);
    EXPECT_EQ(got.device.kind, "cuda");
    EXPECT_EQ(got.device.index, 1);
    EXPECT_EQ(got.device.visible, sent.device.visible);
    EXPECT_EQ(got.host, "fm-2");
    EXPECT_EQ(got.pid, 301);
    EXPECT_EQ(got.held, sent.held);
}

TEST(Protocol, DoneComesBackFieldByField) {
    const auto decoded = decode_message(encode_message(Done{{2, 3}, 4, 5, 6, 7'000'000'000, "no", "rank-3.0.shard"}));
    ASSERT_TRUE(decoded);
    const auto& got = std::get<Done>(*decoded);
    EXPECT_EQ(got.lease, (LeaseNumber{2, 3}));
    EXPECT_EQ(got.batch, 4U);
    EXPECT_EQ(got.samples, 5U);
    EXPECT_EQ(got.failed, 6U);
    EXPECT_EQ(got.compute_us, 7'000'000'000);
    EXPECT_EQ(got.failure, "no");
    EXPECT_EQ(got.log, "rank-3.0.shard");
}

TEST(Protocol, HeartbeatSaysWhatIsWaitedFor) {
    for (const char* what : {"", "http://s/v1"}) {
        const auto decoded = decode_message(encode_message(Heartbeat{what}));
        ASSERT_TRUE(decoded) << decoded.error().message;
        EXPECT_EQ(std::get<Heartbeat>(*decoded).waiting_for, what);
    }
    EXPECT_FALSE(decode_message(encode_message(Heartbeat{std::string(max_said_bytes + 1, 'x')})));
}

TEST(Protocol, TextThatIsNoUtf8IsSentReadably) {
    const auto decoded = decode_message(encode_message(Abort{1, "\xff\xfe!"}));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(std::get<Abort>(*decoded).message, "\uFFFD\uFFFD!");
}

std::string done_in(const std::string& log) {
    return R"({"type":"done","lease":[1,2],"batch":0,"samples":1,"failed":0,"computeUs":7,"log":")" + log + "\"}";
}

struct Garbage {
    const char* name;
    std::string bytes;
};

class ProtocolGarbage : public testing::TestWithParam<Garbage> {};

TEST_P(ProtocolGarbage, IsAnError) {
    const auto decoded = decode_message(GetParam().bytes);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().reason, "BadMessage");
    EXPECT_LT(decoded.error().message.size(), 400U) << "an error must not carry a whole frame into the log";
}

INSTANTIATE_TEST_SUITE_P(
    Table, ProtocolGarbage,
    testing::Values(
        Garbage{"Empty", ""}, Garbage{"Http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
        Garbage{"Nul", std::string(64, '\0')}, Garbage{"NoUtf8", "{\"type\":\"\xff\"}"}, Garbage{"Array", "[1,2]"},
        Garbage{"Number", "7"}, Garbage{"Null", "null"}, Garbage{"Text", "\"hello\""}, Garbage{"NoType", "{}"},
        Garbage{"TypeNoText", R"({"type":1})"}, Garbage{"UnknownType", R"({"type":"exec"})"},
        Garbage{"LongUnknownType", R"({"type":")" + std::string(100'000, 'x') + "\"}"},
        Garbage{"LongTextWithoutEnd", "\"" + std::string(100'000, 'x')},
        Garbage{"TwoMessages", R"({"type":"heartbeat"}{"type":"heartbeat"})"},
        Garbage{"Deep", std::string(500'000, '[')},
        Garbage{"DeepAndClosed", std::string(200'000, '[') + std::string(200'000, ']')},
        Garbage{"GroupWithoutOneself", R"({"type":"group","generation":1,"self":1,"members":["a:1"]})"},
        Garbage{"WantNegative", R"({"type":"want","leases":-1})"},
        Garbage{"WantFraction", R"({"type":"want","leases":1.5})"},
        Garbage{"WantHuge", R"({"type":"want","leases":1e300})"},
        Garbage{"WantBeyond32Bits", R"({"type":"want","leases":4294967296})"},
        Garbage{"WantText", R"({"type":"want","leases":"2"})"}, Garbage{"WantTrue", R"({"type":"want","leases":true})"},
        Garbage{"LeaseOfOneNumber", R"({"type":"return","lease":[1]})"},
        Garbage{"LeaseNoArray", R"({"type":"return","lease":7})"},
        Garbage{"LeaseNegativeEpoch", R"({"type":"return","lease":[-1,2]})"},
        Garbage{"LeaseCounterBeyond64Bits", R"({"type":"return","lease":[1,18446744073709551616]})"},
        Garbage{"AbortExitCodeBeyond32Bits", R"({"type":"abort","exitCode":9999999999,"message":""})"},
        Garbage{"DoneComputeBeyond64Bits",
                R"({"type":"done","lease":[1,2],"batch":0,"samples":1,"failed":0,"computeUs":1e30,"log":""})"},
        Garbage{"DoneInALogElsewhere", done_in("../rank-0.0.shard")}, Garbage{"DoneInAHiddenLog", done_in(".shard")},
        Garbage{"DoneInNoLog", done_in("rank-0.0.json")},
        Garbage{"DoneInALogOfTwoLines", done_in("a\\nrank-0.0.shard")},
        Garbage{"DoneInALongLog", done_in(std::string(300, 'a') + ".shard")}),
    [](const auto& row) { return row.param.name; });

TEST(ProtocolGarbage, RandomChangesNeverThrow) {
    std::mt19937 random(20261122);
    const std::string whole = encode_message(full_hello());
    int refused = 0;
    for (int round = 0; round < 5'000; ++round) {
        std::string bytes = whole;
        for (int change = 0; change < 3; ++change) bytes[random() % bytes.size()] = static_cast<char>(random());
        refused += decode_message(bytes) ? 0 : 1;
    }
    EXPECT_GT(refused, 2'500);
}

}  // namespace
}  // namespace evaljob::test
