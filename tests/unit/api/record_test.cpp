#include "api/record.hpp"

#include <gtest/gtest.h>

namespace evaljob::test {
namespace {

Record ordinary() { return {3, "sample 7", 2, {4, 5}, Json(9), {{"confidence", "0.987654"}}, ""}; }

Record failed() { return {0, "a", 0, {1, 1}, Json(), Json::object(), "out of memory"}; }

struct Row {
    const char* name;
    Record record;
};

class RecordRoundTrip : public testing::TestWithParam<Row> {};

TEST_P(RecordRoundTrip, ComesBackEqual) {
    const auto decoded = decode_record(encode_record(GetParam().record));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, GetParam().record);
    EXPECT_EQ(decoded->failed(), GetParam().record.failed());
}

INSTANTIATE_TEST_SUITE_P(
    Table, RecordRoundTrip,
    testing::Values(Row{"Ordinary", ordinary()}, Row{"Failed", failed()},
                    Row{"TextOfAllKinds", {0, "\"\\\n\t ä 日本", 0, {0, 0}, Json("a\u2028b"), Json::object(), ""}},
                    Row{"LargestNumbers",
                        {UINT32_MAX, "", UINT32_MAX, {UINT32_MAX, UINT64_MAX}, Json(-1), Json::object(), ""}},
                    Row{"NestedPrediction", {0, "x", 0, {1, 1}, {{"answer", {1, 2, nullptr}}}, {{"tokens", 3}}, ""}}),
    [](const auto& row) { return row.param.name; });

TEST(Record, OfBytesThatAreNoUtf8IsWrittenReadably) {
    Record record = ordinary();
    record.prediction = "\xff\xfe";
    const auto decoded = decode_record(encode_record(record));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->id, record.id);
    EXPECT_EQ(decoded->prediction, CanonicalJson("\uFFFD\uFFFD"));
}

TEST(LeaseNumber, IsOrderedByEpochFirst) {
    EXPECT_LT((LeaseNumber{1, 900}), (LeaseNumber{2, 1}));
    EXPECT_LT((LeaseNumber{2, 1}), (LeaseNumber{2, 2}));
}

struct Garbage {
    const char* name;
    std::string bytes;
};

class RecordGarbage : public testing::TestWithParam<Garbage> {};

TEST_P(RecordGarbage, IsAnError) {
    const auto decoded = decode_record(GetParam().bytes);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().reason, "Damaged");
    EXPECT_NE(decoded.error().message.find("record"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RecordGarbage,
    testing::Values(Garbage{"Empty", ""}, Garbage{"NoJson", "not json"}, Garbage{"Cut", R"([0,"a",0,1,1,)"},
                    Garbage{"Object", R"({"id":"a"})"}, Garbage{"TooFewFields", R"([0,"a",0,1,1,2])"},
                    Garbage{"TooManyFields", R"([0,"a",0,1,1,2,{},"e","f"])"},
                    Garbage{"BytesBehind", R"([0,"a",0,1,1,2,{}] )"
                                           "x"},
                    Garbage{"NegativeDataset", R"([-1,"a",0,1,1,2,{}])"},
                    Garbage{"DatasetBeyond32Bits", R"([4294967296,"a",0,1,1,2,{}])"},
                    Garbage{"DatasetNoInteger", R"([0.5,"a",0,1,1,2,{}])"}, Garbage{"IdNoText", R"([0,7,0,1,1,2,{}])"},
                    Garbage{"RepeatNoNumber", R"([0,"a","0",1,1,2,{}])"},
                    Garbage{"NegativeEpoch", R"([0,"a",0,-1,1,2,{}])"},
                    Garbage{"CounterBeyond64Bits", R"([0,"a",0,1,18446744073709551616,2,{}])"},
                    Garbage{"PredictionNoJson", R"([0,"a",0,1,1,2x,{}])"},
                    Garbage{"PredictionNotCanonical", R"([0,"a",0,1,1,{"b":1,"a":2},{}])"},
                    Garbage{"Spaces", R"([0, "a",0,1,1,2,{}])"}, Garbage{"DetailNoObject", R"([0,"a",0,1,1,2,[]])"},
                    Garbage{"ErrorNoText", R"([0,"a",0,1,1,2,{},3])"}, Garbage{"NoUtf8", "[0,\"\xff\",0,1,1,2,{}]"},
                    Garbage{"Nul", std::string(10, '\0')}, Garbage{"Deep", std::string(200'000, '[')}),
    [](const auto& row) { return row.param.name; });

TEST(RecordGarbage, EveryCutOfARecordIsAnError) {
    const std::string whole = encode_record(failed());
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(decode_record(whole.substr(0, length))) << "of " << length << " bytes";
}

}  // namespace
}  // namespace evaljob::test
