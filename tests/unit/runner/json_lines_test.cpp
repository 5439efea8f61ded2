// JSONL datasets: which lines are samples, what is refused, and that input goes on unchanged.
#include "evaljob-runner/dataset/json_lines.hpp"

#include <gmock/gmock.h>

#include "api/digest.hpp"
#include "evaljob-runner/dataset/text_file.hpp"
#include "tests/unit/runner/text_dataset.hpp"

namespace evaljob::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class JsonLines : public TextDataset {
protected:
    JsonLines() : TextDataset("sums", DatasetFormat::JSONL, "lines.jsonl") {}
};

std::vector<std::string> ids(const std::vector<Sample>& samples) {
    std::vector<std::string> ids;
    for (const Sample& sample : samples) ids.push_back(sample.id);
    return ids;
}

TEST_F(JsonLines, HaveAnIdATargetAndAnInputThatIsLeftAsItIs) {
    const auto read = samples(
        "{\"id\": \"one\", \"z\": 1.50, \"target\": \"2\", \"a\": {\"n\": 12345678901234567890123}, \"s\": "
        "\"\\ud800\"}\n");
    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read[0].id, "one");
    EXPECT_EQ(read[0].target, "2");
    EXPECT_EQ(read[0].input, "{\"z\":1.50,\"a\":{\"n\": 12345678901234567890123},\"s\":\"\\ud800\"}");
    EXPECT_EQ(read[0].group, "");
}

TEST_F(JsonLines, WithoutAnIdAreCalledByTheirNumberInTheFile) {
    EXPECT_THAT(ids(samples("{\"target\":\"a\"}\r\n\n  \r\n{\"id\":-7,\"target\":\"b\"}\n{\"target\":\"c\"}")),
                ElementsAre("1", "-7", "5"));
}

TEST_F(JsonLines, EndAtTheLimit) {
    dataset_.limit = 2;
    EXPECT_THAT(ids(samples("{\"target\":\"a\"}\n\n{\"target\":\"b\"}\nthis line is not read\n")),
                ElementsAre("1", "3"));
}

TEST_F(JsonLines, MayHaveSeveralTargetsAndTargetsThatAreNoText) {
    const auto read = samples("{\"target\":[\"a\",\"b\"]}\n{\"target\":\"\\udc00\"}\n");
    EXPECT_EQ(read[0].target, Json({"a", "b"}));
    EXPECT_EQ(read[1].target, Json({{"base64", "7bCA"}}));
}

TEST_F(JsonLines, AreGroupedByAMember) {
    dataset_.task.group_by = "kind";
    const auto read =
        samples("{\"target\":\"\",\"kind\":\"é\"}\n{\"target\":\"\",\"kind\":3}\n{\"target\":\"\",\"kind\":true}\n");
    EXPECT_EQ(read[0].group, "é");
    EXPECT_EQ(read[1].group, "3");
    EXPECT_EQ(read[2].group, "true");
    EXPECT_EQ(read[0].input, "{\"kind\":\"é\"}") << "it stays part of the input";
}

TEST_F(JsonLines, OfManyBlocksAreFoundWhereTheyLie) {
    std::string text;
    std::vector<std::string> targets;
    for (int i = 0; i < 3000; ++i) {
        targets.push_back(std::string(static_cast<std::size_t>(i * 7 % 1000), 'x') + std::to_string(i));
        text += "{\"target\":\"" + targets.back() + "\"}\n";
    }
    ASSERT_GT(text.size(), std::size_t{1} << 20U);
    const auto read = samples(text);
    ASSERT_EQ(read.size(), targets.size());
    for (std::size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i].target, targets[i]);
}

TEST_F(JsonLines, OfOtherContentHaveOtherHashes) {
    const auto read = samples("{\"target\":\"a\",\"q\":1}\n{\"target\":\"b\",\"q\":1}\n{\"target\":\"a\",\"q\":2}\n");
    EXPECT_NE(content_hash(read[0]), content_hash(read[1]));
    EXPECT_NE(content_hash(read[0]), content_hash(read[2]));
}

TEST_F(JsonLines, AreThoseOfTheDigest) {
    const std::string text = "{\"target\":\"a\"}\n";
    dataset_.sha256 = sha256_hex(text);
    EXPECT_EQ(refusal(text), "");
    EXPECT_THAT(refusal(text + "\n"), AllOf(HasSubstr("sha256: "), HasSubstr("the EvalJob says " + dataset_.sha256)));
}

TEST_F(JsonLines, AFileThatChangesWhileItIsReadIsNoticed) {
    folder_.write("lines.jsonl", "{\"target\":\"a\"}\n{\"target\":\"b\"}\n");
    auto reader = open_dataset(dataset_, folder_.path());
    ASSERT_TRUE(reader);
    std::filesystem::resize_file(folder_ / "lines.jsonl", 3);
    const auto sample = (*reader)->sample(1);
    ASSERT_FALSE(sample);
    EXPECT_THAT(sample.error().message, HasSubstr("line 2: cannot be read any more"));
}

TEST_F(JsonLines, ThatAreMissingAreNamed) {
    const auto reader = open_dataset(dataset_, folder_.path());
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().reason, "BadInput");
    EXPECT_THAT(reader.error().message,
                AllOf(HasSubstr("dataset sums: path: "), HasSubstr("lines.jsonl: No such file or directory")));
}

struct Row {
    const char* name;
    std::string line;  // behind one that is well
    const char* says;
    const char* group_by = "";
};

class BadLine : public JsonLines, public testing::WithParamInterface<Row> {};

TEST_P(BadLine, IsNamedWithWhatMendsIt) {
    dataset_.task.group_by = GetParam().group_by;
    const std::string why = refusal("{\"target\":\"a\",\"k\":\"g\"}\n" + GetParam().line + "\n");
    EXPECT_THAT(why, AllOf(HasSubstr("BadInput: dataset sums: path: "), HasSubstr("lines.jsonl line 2: "),
                           HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadLine,
    testing::Values(
        Row{"NoJson", "target: a", "is no JSON object, or nested deeper than 128 levels; each line holds one"},
        Row{"NaN", R"({"target":"a","hint":"NaN","score":NaN})",
            "at byte 36 stands NaN, which JSON has not; write null or a text"},
        Row{"Infinity", R"({"target":"a","say \"Infinity":[1,-Infinity]})",
            "at byte 35 stands -Infinity, which JSON has not"},
        Row{"NoUtf8", "{\"target\":\"\xe9\"}", "is not UTF-8 text"},
        Row{"ByteOrderMark", "\xef\xbb\xbf{\"target\":\"a\"}", "begins with a byte order mark"},
        Row{"ANumber", "7", "is no JSON object"},
        Row{"TwoObjects", "{\"target\":\"a\"}{\"target\":\"a\"}", "is no JSON object"},
        Row{"KeyTwice", "{\"target\":\"a\",\"target\":\"b\"}", "has a key twice: \"target\""},
        Row{"NoTarget", "{\"answer\":\"a\"}", "has no target: the right answer"},
        Row{"ANumberAsTarget", "{\"target\":42}",
            "target must be a text, or a list of texts of which each is right; it is 42"},
        Row{"NullAsTarget", "{\"target\":null}", "target must be a text"},
        Row{"NoTargets", "{\"target\":[]}", "target must be a text"},
        Row{"NumbersAsTargets", "{\"target\":[1]}", "target must be a text"},
        Row{"ALongTarget", "{\"target\":\"" + std::string(1 << 20, 'x') + "\"}", "target must have at most 1 MiB"},
        Row{"ObjectAsId", "{\"id\":{},\"target\":\"a\"}", "id must be a text or an integer, is {}"},
        Row{"FractionAsId", "{\"id\":1.5,\"target\":\"a\"}", "id must be a text or an integer, is 1.5"},
        Row{"EmptyId", "{\"id\":\"\",\"target\":\"a\"}", "id is empty"},
        Row{"ALongId", "{\"id\":\"" + std::string(1025, 'x') + "\",\"target\":\"a\"}",
            "id must have at most 1024 bytes, has 1025"},
        Row{"HalfAPairAsId", "{\"id\":\"\\ud800\",\"target\":\"a\"}", "id has half of a surrogate pair"},
        Row{"IdOfAnother", "{\"id\":\"1\",\"target\":\"a\"}", "has the id \"1\", which"},
        Row{"NoGroup", "{\"target\":\"a\"}", "has no k, which task.groupBy names", "k"},
        Row{"ListAsGroup", "{\"target\":\"a\",\"k\":[]}", "k must be a text or an integer, is []", "k"}),
    [](const auto& row) { return row.param.name; });

TEST_F(JsonLines, WithoutSamplesAreRefused) {
    for (const char* text : {"", "\n", " \r\n\t\n"}) EXPECT_THAT(refusal(text), HasSubstr("has no samples"));
}

TEST_F(JsonLines, ThatAreCompressedAreRefused) { EXPECT_THAT(refusal("\x1f\x8b\x08"), HasSubstr("is compressed")); }

TEST_F(JsonLines, ThatAreTooLongAreRefusedUnread) {
    folder_.write("lines.jsonl", "{\"target\":\"a\"}\n{");
    std::filesystem::resize_file(folder_ / "lines.jsonl", max_text_sample_bytes + 100);  // a hole: no disk is filled
    const auto reader = open_dataset(dataset_, folder_.path());
    ASSERT_FALSE(reader);
    EXPECT_THAT(reader.error().message, HasSubstr("line 2: is longer than 100000000 bytes"));
}

}  // namespace
}  // namespace evaljob::test
