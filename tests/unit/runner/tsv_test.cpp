// TSV datasets in VLMEvalKit's form: rows that pandas wrote, images in them or beside them, what is refused.
#include <gmock/gmock.h>

#include "api/base64.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/dataset/text_file.hpp"
#include "tests/unit/runner/text_dataset.hpp"

namespace evaljob::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string picture = "the bytes of an image, of which there are more than forty-eight";
const std::string other_picture = "the bytes of another image, of which there are as many as of it";

class Tsv : public TextDataset {
protected:
    Tsv() : TextDataset("qa", DatasetFormat::TSV, "qa.tsv") {}
};

TEST_F(Tsv, RowsHaveAnIndexAnAnswerAndAnInput) {
    const auto read = samples(
        "index\tquestion\tA\tB\tanswer\tcategory\n"
        "17\twhich?\tone\t\tA\tcoarse\n"
        "x-2\twhat?\t\ttwo\t42\tfine\n");
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read[0].id, "17");
    EXPECT_EQ(read[0].target, "A");
    EXPECT_EQ(read[0].input, R"({"question":"which?","A":"one","category":"coarse"})") << "empty cells are left out";
    EXPECT_EQ(read[1].id, "x-2");
    EXPECT_EQ(read[1].target, "42");
    EXPECT_EQ(read[1].input, R"({"question":"what?","B":"two","category":"fine"})");
    EXPECT_EQ(read[0].group, "");
    EXPECT_EQ(read[0].image, "");
}

TEST_F(Tsv, CellsInQuotesHoldTabsLinesAndQuotes) {
    // What pandas' to_csv(sep="\t") writes for "a\tb", "two\nlines", "\"said\"", and an inch sign in the middle.
    const auto read = samples(
        "index\tquestion\thint\tanswer\r\n0\t\"a\tb\"\t\"two\nlines\"\t\"\"\"said\"\"\"\r\n\r\n1\t5\" "
        "wide\t\"\"\té\r\n");
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read[0].input, R"({"question":"a\tb","hint":"two\nlines"})");
    EXPECT_EQ(read[0].target, "\"said\"");
    EXPECT_EQ(read[1].input, R"({"question":"5\" wide"})");
    EXPECT_EQ(read[1].target, "é");
}

TEST_F(Tsv, AColumnWithoutANameIsPassedOver) { EXPECT_EQ(samples("\tindex\tanswer\n0\t7\ta\n")[0].input, "{}"); }

TEST_F(Tsv, ImagesStandInTheRowOrInTheOneThatItNames) {
    const std::string image = base64_encode(picture);
    const auto read = samples("index\timage\tanswer\n0\t2\ta\n1\t\ta\n2\t" + image + "\ta\n3\t2\ta\n4\t" +
                              base64_encode(other_picture) + "\ta\n");
    for (const std::size_t i : {0U, 2U, 3U}) {
        EXPECT_EQ(read[i].image, picture) << i;
        EXPECT_EQ(read[i].input, "{\"image\":\"" + image + "\"}") << "a program need not know of references";
    }
    EXPECT_EQ(read[1].image, "");
    EXPECT_EQ(read[4].image, other_picture);
}

TEST_F(Tsv, AnImageOfARowBeyondTheLimitIsFound) {
    dataset_.limit = 1;
    const auto read = samples("index\timage\tanswer\n0\t1\ta\n1\t" + base64_encode(picture) + "\ta\n");
    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read[0].image, picture);
}

TEST_F(Tsv, ImagesLieBesideTheFile) {
    folder_.write("tables/images/a.png", picture);
    dataset_.path = "tables/qa.tsv";
    folder_.write("tables/qa.tsv", "index\timage_path\tanswer\n0\timages/a.png\ta\n1\t\ta\n");
    auto reader = open_dataset(dataset_, folder_.path());
    ASSERT_TRUE(reader);
    const auto sample = (*reader)->sample(0);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->image, picture);
    EXPECT_EQ(sample->input, R"({"image_path":"images/a.png"})");
    folder_.write("tables/images/a.png", other_picture);
    EXPECT_NE(content_hash(*sample), content_hash(*(*reader)->sample(0))) << "another image is another sample";
}

TEST_F(Tsv, SeveralImagesAreAListInTheInput) {
    const std::string image = base64_encode(picture);
    const std::string list = "['" + image + "', '" + image + "']";
    const auto read = samples("index\timage\tanswer\n0\t" + list + "\ta\n");
    EXPECT_EQ(read[0].image, "");
    EXPECT_EQ(read[0].input, R"({"image":[")" + image + R"(",")" + image + R"("]})");
}

TEST_F(Tsv, AListOfPathsIsWrittenAsPythonOrJsonWritesIt) {
    const struct {
        const char* cell;
        const char* input;
    } lists[] = {
        {"['a.png', 'b.png']", R"({"image_path":["a.png","b.png"]})"},
        {"['a.png','b, c.png']", R"({"image_path":["a.png","b, c.png"]})"},
        {"\"[\"\"a.png\"\", \"\"it's.png\"\"]\"", R"({"image_path":["a.png","it's.png"]})"},
        {"[ 'a.png' ]", R"({"image_path":["a.png"]})"},
        // What is no such list stays the text that it is.
        {"[]", R"({"image_path":"[]"})"},
        {"['a.png',]", R"({"image_path":"['a.png',]"})"},
        {"['a.png' 'b.png']", R"({"image_path":"['a.png' 'b.png']"})"},
        {"['a.png]", R"({"image_path":"['a.png]"})"},
        {"[1, 2]", R"({"image_path":"[1, 2]"})"},
        {R"(['a\'b.png'])", R"({"image_path":["a'b.png"]})"},
    };
    for (const auto& list : lists)
        EXPECT_EQ(samples("index\timage_path\tanswer\n0\t" + std::string(list.cell) + "\ta\n")[0].input, list.input);
}

TEST_F(Tsv, RowsAreGroupedByAColumn) {
    dataset_.task.group_by = "l2-category";
    const auto read = samples("index\tl2-category\tanswer\n0\tfine\ta\n");
    EXPECT_EQ(read[0].group, "fine");
    EXPECT_EQ(read[0].input, R"({"l2-category":"fine"})");
}

TEST_F(Tsv, OfManyBlocksIsFoundWhereItLies) {
    std::string text = "index\tquestion\tanswer\n";
    std::vector<std::string> answers;
    for (int i = 0; i < 3000; ++i) {
        answers.push_back(std::string(static_cast<std::size_t>(i * 7 % 1000), 'x') + "\n" + std::to_string(i));
        text += std::to_string(i) + "\t\"a \"\"q\"\"\"\t\"" + answers.back() + "\"\n";
    }
    ASSERT_GT(text.size(), std::size_t{1} << 20U);
    const auto read = samples(text);
    ASSERT_EQ(read.size(), answers.size());
    for (std::size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i].target, answers[i]);
}

TEST_F(Tsv, AChoiceIsTheLetterOfAnOption) {
    dataset_.task.type = TaskType::MultipleChoice;
    EXPECT_EQ(samples("index\tA\tB\tC\tanswer\n0\tx\ty\t\tB\n")[0].target, "B");
    for (const char* answer : {"C", "b", "y", "BB", "D", "["})
        EXPECT_THAT(refusal(std::string("index\tA\tB\tC\tanswer\n0\tx\ty\t\t") + answer + "\n"),
                    HasSubstr("which is the letter of none of its options"))
            << answer;
}

TEST_F(Tsv, AChoiceBehindAGapIsTheLetterOfAnOption) {
    dataset_.task.type = TaskType::MultipleChoice;
    const auto read = samples("index\tA\tB\tC\tD\tanswer\n0\tx\ty\t\tz\tD\n1\t\ty\t\tz\tB\n");
    EXPECT_EQ(read[0].target, "D");
    EXPECT_EQ(read[0].input, R"({"A":"x","B":"y","D":"z"})");
    EXPECT_EQ(read[1].target, "B") << "without an A";
}

TEST_F(Tsv, AnAnswerThatIsAListOfQuotedTextsIsSeveral) {
    const std::string rows = "index\tanswer\n0\t['CENTRE', 'centre']\n1\t[1, 2]\n2\t['a']\n3\tParis\n";
    const auto read = samples(rows);
    EXPECT_EQ(read[0].target, Json({"CENTRE", "centre"}));
    EXPECT_EQ(read[1].target, "[1, 2]");
    EXPECT_EQ(read[2].target, Json::array({"a"}));
    EXPECT_EQ(read[3].target, "Paris");
    EXPECT_EQ(config(rows).at("targetLists"), 2) << "it is counted";
    dataset_.task.targets = Targets::Text;
    EXPECT_EQ(samples(rows)[0].target, "['CENTRE', 'centre']");
    EXPECT_FALSE(config(rows).contains("targetLists"));
}

TEST_F(Tsv, HowManyAnswersAreListsIsSaidBeforeTheRun) {
    Manifest manifest;
    manifest.config["datasets"] = {config("index\tanswer\n0\t['a']\n1\tb\n")};
    EXPECT_THAT(dataset_notes(manifest),
                testing::ElementsAre(HasSubstr("dataset qa: the answer of 1 of 2 samples is a list of quoted texts")));
    manifest.config["datasets"] = {config("index\tanswer\n0\ta\n1\tb\n")};
    EXPECT_THAT(dataset_notes(manifest), testing::IsEmpty());
}

TEST_F(Tsv, AnImageIsOneDataUrl) {
    const std::string url = "data:image/png;base64," + base64_encode(picture);
    const std::string tiny = "data:image/png;base64," + base64_encode("tiny");
    const auto read = samples("index\timage\tanswer\n0\t" + url + "\ta\n1\t0\ta\n2\t" + tiny + "\ta\n");
    EXPECT_EQ(read[0].image, picture);
    EXPECT_EQ(read[0].input, "{\"image\":\"" + url + "\"}");
    EXPECT_EQ(read[1].image, picture) << "of the row that it names";
    EXPECT_EQ(read[2].image, "tiny") << "a short one is no name of a row";
}

TEST_F(Tsv, AnImageIsOneAddressInTheWebThatIsHandedOn) {
    const std::string address = "https://example.org/" + std::string(100, 'x') + ".png";
    const auto read = samples("index\timage\tanswer\n0\thttp://a/b.png\ta\n1\t" + address +
                              "\ta\n2\t0\ta\n3\t['http://a/b.png']\ta\n");
    EXPECT_EQ(read[0].image, "");
    EXPECT_EQ(read[0].input, R"({"image":"http://a/b.png"})") << "a short one is no name of a row";
    EXPECT_EQ(read[1].input, "{\"image\":\"" + address + "\"}");
    EXPECT_EQ(read[2].input, R"({"image":"http://a/b.png"})") << "of the row that it names";
    EXPECT_EQ(read[3].input, R"({"image":["http://a/b.png"]})");
}

TEST_F(Tsv, AnImageFileThatIsMissingFailsItsSampleAlone) {
    folder_.write("a.png", picture);
    const std::string rows = "index\timage_path\tanswer\n0\ta.png\ta\n1\tb.png\ta\n2\t../c.png\ta\n";
    const auto read = samples(rows);
    EXPECT_EQ(read[0].image, picture);
    EXPECT_EQ(read[0].image_error, "");
    EXPECT_EQ(read[1].image, "");
    EXPECT_THAT(read[1].image_error, HasSubstr("image_path b.png: No such file or directory"));
    EXPECT_THAT(read[2].image_error, HasSubstr("image_path ../c.png: "));
    Manifest manifest;
    manifest.config["datasets"] = {config(rows)};
    EXPECT_THAT(dataset_notes(manifest),
                testing::ElementsAre(HasSubstr("the image_path of 2 of 3 samples cannot be read")));
}

struct Row {
    const char* name;
    std::string header;
    std::string row;
    const char* says;
    const char* group_by = "";
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class BadRow : public Tsv, public testing::WithParamInterface<Row> {};

TEST_P(BadRow, IsNamedWithWhatMendsIt) {
    dataset_.task.group_by = GetParam().group_by;
    const std::string why = refusal(GetParam().header + "\n" + GetParam().row + "\n");
    EXPECT_THAT(
        why, AllOf(HasSubstr("BadInput: dataset qa: path: "), HasSubstr("qa.tsv line "), HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadRow,
    testing::Values(
        Row{"CommasForTabs", "index,answer", "0,a", "line 1: has no column index; the first line names the columns"},
        Row{"NoAnswers", "index\tquestion", "0\tq", "line 1: has no column answer"},
        Row{"AColumnTwice", "index\tanswer\tanswer", "0\ta\ta", "line 1: has two columns answer"},
        Row{"ByteOrderMark", "\xef\xbb\xbfindex\tanswer", "0\ta", "line 1: begins with a byte order mark"},
        Row{"NoGroupColumn", "index\tanswer", "0\ta", "line 1: has no column k, which task.groupBy names", "k"},
        Row{"NoGroup", "index\tanswer\tk", "0\ta\t", "line 2: has no k, which task.groupBy names", "k"},
        Row{"NoIndex", "index\tanswer", "\ta", "line 2: has no index"},
        Row{"AnIndexTwice", "index\tanswer", "0\ta\n0\tb", "line 3: has the id \"0\", which"},
        Row{"NoAnswer", "index\tanswer", "0\t", "line 2: has no answer"},
        Row{"ALongAnswer", "index\tanswer", "0\t" + std::string((1U << 20U) + 1, 'x'),
            "line 2: answer must have at most 1048576 bytes, has 1048577"},
        Row{"TooFewCells", "index\tanswer", "0", "line 2: has 1 cells, the first line names 2 columns"},
        Row{"TooManyCells", "index\tanswer", "0\ta\tb", "line 2: has 3 cells, the first line names 2 columns"},
        Row{"NoUtf8", "index\tanswer", "0\t\xe9", "line 2: is not UTF-8 text"},
        Row{"AnOpenQuote", "index\tanswer", "0\t\"a\n1\tb", "line 2: has a quote that is not closed"},
        Row{"TextBehindAQuote", "index\tanswer", "0\t\"a\"b", "line 2: has text behind a closing quote"},
        Row{"NoBase64", "index\timage\tanswer", "0\t" + std::string(100, '!') + "\ta",
            "line 2: its image is neither base64, nor a data: or http(s): URL, nor the index of another row"},
        Row{"AReferenceToNothing", "index\timage\tanswer", "0\t7\ta",
            "line 2: its image names the row 7, which there is not"},
        Row{"AReferenceToItself", "index\timage\tanswer", "0\t0\ta",
            "line 2: its image names the row 0, which has no image of its own"},
        Row{"ADataUrlThatIsNotBase64", "index\timage\tanswer", "0\tdata:image/svg+xml,<svg/>\ta",
            "line 2: its image is a data: URL that is not in base64"},
        Row{"ADataUrlThatIsCut", "index\timage\tanswer", "0\tdata:image/png;base64\ta",
            "line 2: its image is a data: URL that is not in base64"},
        Row{"LineOfARowBehindLongOnes", "index\tanswer", "0\t\"a\n\nb\"\n1\t", "line 5: has no answer"}),
    [](const auto& row) { return row.param.name; });

TEST_F(Tsv, WithoutSamplesIsRefused) {
    for (const char* text : {"", "\n", "index\tanswer\n", "index\tanswer"})
        EXPECT_THAT(refusal(text), HasSubstr("qa.tsv: has no samples")) << text;
}

TEST_F(Tsv, ThatIsTooLongIsRefusedUnread) {
    folder_.write("qa.tsv", "index\tanswer\n0\ta\n1\t");
    std::filesystem::resize_file(folder_ / "qa.tsv", max_text_sample_bytes + 100);  // a hole: no disk is filled
    const auto reader = open_dataset(dataset_, folder_.path());
    ASSERT_FALSE(reader);
    EXPECT_THAT(reader.error().message, HasSubstr("line 3: is longer than 100000000 bytes"));
}

}  // namespace
}  // namespace evaljob::test
