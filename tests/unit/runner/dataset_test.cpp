#include "evaljob-runner/dataset/dataset.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <functional>

#include "api/digest.hpp"
#include "evaljob-runner/dataset/gzip_file.hpp"
#include "evaljob-runner/dataset/idx.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string idx(const std::vector<std::uint32_t>& shape, const std::string& elements, char type = 8) {
    std::string bytes{'\0', '\0', type, static_cast<char>(shape.size())};
    for (const auto size : shape) {
        for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((size >> shift) & 0xFF);
    }
    return bytes + elements;
}

struct BadIdx {
    const char* name;
    std::string bytes;
    const char* says;
};

class Idx : public testing::TestWithParam<BadIdx> {};

TEST_P(Idx, OfWrongBytesIsRefused) {
    const auto array = read_idx(GetParam().bytes);
    ASSERT_FALSE(array);
    EXPECT_EQ(array.error().reason, "BadInput");
    EXPECT_THAT(array.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Idx,
    testing::Values(BadIdx{"Empty", "", "no IDX file"}, BadIdx{"ThreeBytes", idx({1}, "x").substr(0, 3), "no IDX file"},
                    BadIdx{"FirstByteNotZero", "\x01" + idx({1}, "x").substr(1), "no IDX file"},
                    BadIdx{"Png", "\x89PNG\r\n\x1a\n", "no IDX file"},
                    BadIdx{"Floats", idx({1}, "1234", 0x0D), "type 13"},
                    BadIdx{"SignedBytes", idx({1}, "1", 9), "type 9"},
                    BadIdx{"NoDimension", idx({}, "x"), "0 dimensions"},
                    BadIdx{"FiveDimensions", idx({1, 1, 1, 1, 1}, "x"), "5 dimensions"},
                    BadIdx{"CutInTheHeader", idx({2, 3}, "").substr(0, 11), "cut in its header"},
                    BadIdx{"OneElementTooFew", idx({2, 3}, "12345"), "has 5 elements, its header states 6"},
                    BadIdx{"OneElementTooMany", idx({2, 3}, "1234567"), "has 7 elements, its header states 6"},
                    BadIdx{"NoElements", idx({2}, ""), "has 0 elements"},
                    BadIdx{"OverflowingDimensions", idx({UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, "x"),
                           "absurd dimensions"},
                    // 2^16 to the fourth is 2^64: as 64 bits, no elements at all.
                    BadIdx{"DimensionsThatWrapToZero", idx({65536, 65536, 65536, 65536}, ""), "absurd dimensions"}),
    [](const auto& row) { return row.param.name; });

TEST(IdxArray, IsReadAsItsHeaderSays) {
    const std::string bytes = idx({2, 1, 3}, "abcdef");
    const auto array = read_idx(bytes);
    ASSERT_TRUE(array) << array.error().message;
    EXPECT_THAT(array->shape, ElementsAre(2, 1, 3));
    EXPECT_EQ(array->count(), 2);
    EXPECT_EQ(array->elements, "abcdef");
}

/// Three images of 2 × 2 with labels 0, 2, 1.
class DatasetTest : public testing::Test {
protected:
    DatasetTest() {
        folder_.write("images", idx({3, 2, 2}, "abcdefghijkl"));
        folder_.write("labels", idx({3}, std::string("\0\2\1", 3)));
        dataset_.name = "wardrobe";
        dataset_.path = "images";
        dataset_.labels_path = "labels";
        dataset_.task.classes = {"Shirt", "Coat", "Bag"};
    }
    void write_gzip(const std::string& name, const std::string& bytes) {
        gzFile file = ::gzopen((folder_ / name).c_str(), "wb");
        ASSERT_NE(file, nullptr);
        EXPECT_EQ(::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), static_cast<int>(bytes.size()));
        EXPECT_EQ(::gzclose(file), Z_OK);
    }
    std::unique_ptr<DatasetReader> open() {
        auto reader = open_dataset(dataset_, folder_.path());
        EXPECT_TRUE(reader) << reader.error().message;
        return reader ? std::move(*reader) : nullptr;
    }

    TemporaryFolder folder_;
    Dataset dataset_;
};

TEST_F(DatasetTest, HasItsSamplesInOrder) {
    const auto reader = open();
    ASSERT_EQ(reader->size(), 3U);
    const Sample second = reader->sample(1).value();
    EXPECT_EQ(second.id, "1");
    EXPECT_THAT(second.shape, ElementsAre(1, 2, 2));
    EXPECT_EQ(second.bytes, "efgh");
    EXPECT_EQ(second.target, Json(2));
    EXPECT_EQ(second.group, "Bag");
}

TEST_F(DatasetTest, ReadsGzipAsItReadsPlainFiles) {
    const auto plain = open();
    write_gzip("images.gz", folder_.read("images"));
    write_gzip("labels.gz", folder_.read("labels"));
    dataset_.path = folder_ / "images.gz";  // absolute paths stay as they are
    dataset_.labels_path = "labels.gz";
    const auto zipped = open();
    ASSERT_EQ(zipped->size(), 3U);
    for (std::uint64_t i = 0; i < 3; ++i)
        EXPECT_EQ(content_hash(zipped->sample(i).value()), content_hash(plain->sample(i).value()));
    // The digest is of the file as it lies there, as sha256sum prints it.
    EXPECT_EQ(zipped->digests()["sha256"], sha256_hex(folder_.read("images.gz")));
    EXPECT_EQ(zipped->digests()["labelsSha256"], sha256_hex(folder_.read("labels.gz")));
}

TEST_F(DatasetTest, TakesChannelsWhereTheFileStatesThem) {
    folder_.write("images", idx({3, 2, 1, 2}, "abcdefghijkl"));
    EXPECT_THAT(open()->sample(0)->shape, ElementsAre(2, 1, 2));
}

TEST_F(DatasetTest, IsCutByItsLimit) {
    dataset_.limit = 2;
    EXPECT_EQ(open()->size(), 2U);
    dataset_.limit = 100;
    EXPECT_EQ(open()->size(), 3U);
}

TEST_F(DatasetTest, MayHaveLabelsOutOfRangeBehindItsLimit) {
    dataset_.task.classes = {"Shirt", "Coat"};
    dataset_.limit = 1;
    EXPECT_EQ(open()->size(), 1U);
}

TEST_F(DatasetTest, WithoutClassesNamesGroupsByNumber) {
    dataset_.task.classes.clear();
    EXPECT_EQ(open()->sample(1)->group, "2");
}

TEST_F(DatasetTest, IsAcceptedWithTheDigestsThatItHas) {
    dataset_.sha256 = sha256_hex(folder_.read("images"));
    dataset_.labels_sha256 = sha256_hex(folder_.read("labels"));
    EXPECT_EQ(open()->size(), 3U);
}

struct Fault {
    const char* name;
    std::function<void(const TemporaryFolder&, Dataset&)> make;
    std::vector<std::string> says;
};

class DatasetFault : public DatasetTest, public testing::WithParamInterface<Fault> {};

TEST_P(DatasetFault, IsNamed) {
    GetParam().make(folder_, dataset_);
    const auto reader = open_dataset(dataset_, folder_.path());
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().reason, "BadInput");
    EXPECT_THAT(reader.error().message, HasSubstr("dataset wardrobe: "));
    for (const auto& part : GetParam().says) EXPECT_THAT(reader.error().message, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(
    Table, DatasetFault,
    testing::Values(
        Fault{"NoImages",
              [](const auto&, Dataset& d) { d.path = "other"; },
              {"wardrobe: path: ", "/other: No such file"}},
        Fault{"NoLabels",
              [](const auto&, Dataset& d) { d.labels_path = "other"; },
              {"wardrobe: labelsPath: ", "/other: No such file"}},
        Fault{"AFolder", [](const auto&, Dataset& d) { d.path = "."; }, {"is a folder, where a file is wanted"}},
        Fault{"OtherDigest",
              [](const auto&, Dataset& d) { d.sha256 = std::string(64, '0'); },
              {"wardrobe: sha256: ", "/images", std::string(64, '0')}},
        Fault{"OtherDigestOfLabels",
              [](const auto&, Dataset& d) { d.labels_sha256 = std::string(64, '0'); },
              {"wardrobe: labelsSha256: ", "/labels", std::string(64, '0')}},
        Fault{"NoIdx", [](const auto& f, Dataset&) { f.write("images", "hello"); }, {"/images", "no IDX file"}},
        Fault{"NoIdxLabels", [](const auto& f, Dataset&) { f.write("labels", "hello"); }, {"/labels", "no IDX file"}},
        Fault{"MoreLabelsThanImages",
              [](const auto& f, Dataset&) { f.write("labels", idx({4}, std::string(4, '\0'))); },
              {"/labels", "has 4 labels for 3 images", "/images"}},
        Fault{"LabelsOfTwoDimensions",
              [](const auto& f, Dataset&) {
                  f.write("labels", idx({3, 1}, std::string(3, '\0')));
              },
              {"/labels", "has 2 dimensions, labels have one"}},
        Fault{"ImagesOfNoBytes",
              [](const auto& f, Dataset&) {
                  f.write("images", idx({3, 0, 2}, ""));
              },
              {"/images", "states dimension 1 as 0"}},
        Fault{"LabelBeyondTheClasses",
              [](const auto&, Dataset& d) { d.task.classes.pop_back(); },
              {"/labels", "sample 1 has label 2", "names only 2"}},
        Fault{"NoSamples",
              [](const auto& f, Dataset&) {
                  f.write("images", idx({0, 2, 2}, ""));
                  f.write("labels", idx({0}, ""));
              },
              {"/images", "has no samples"}},
        Fault{"CutGzip",
              [](const auto& f, Dataset&) {
                  gzFile file = ::gzopen((f / "images").c_str(), "wb");
                  const std::string noise = sha256_hex("a") + sha256_hex("b");
                  ::gzwrite(file, noise.data(), static_cast<unsigned>(noise.size()));
                  ::gzclose(file);
                  const std::string whole = f.read("images");
                  f.write("images", whole.substr(0, whole.size() - 12));
              },
              {"/images"}}),
    [](const auto& row) { return row.param.name; });

TEST_F(DatasetTest, DecompressesNoMoreThanItsLimit) {
    write_gzip("bomb.gz", std::string(5'000'000, '\0'));
    const auto content = read_gzip_or_plain(folder_ / "bomb.gz", 1'000'000);
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().reason, "TooLarge");
    EXPECT_EQ(read_gzip_or_plain(folder_ / "bomb.gz", 5'000'000)->size(), 5'000'000U);
}

TEST(ContentHash, ChangesWithShapeBytesAndTarget) {
    const Sample sample{"1", {1, 2, 2}, "abcd", "", "", Json(1), "Coat"};
    Sample other = sample;
    other.id = "2";
    other.group = "renamed";
    EXPECT_EQ(content_hash(other), content_hash(sample));
    EXPECT_EQ(content_hash(sample).size(), 32U);
    other.shape = {1, 1, 4};
    EXPECT_NE(content_hash(other), content_hash(sample));
    other = sample;
    other.bytes = "abce";
    EXPECT_NE(content_hash(other), content_hash(sample));
    other = sample;
    other.target = 2;
    EXPECT_NE(content_hash(other), content_hash(sample));
}

TEST(ResolvePath, IsBelowTheRootUnlessAbsolute) {
    EXPECT_EQ(resolve_path("/storage", "models/a.pt"), "/storage/models/a.pt");
    EXPECT_EQ(resolve_path("/storage/", "./a.pt"), "/storage/a.pt");
    EXPECT_EQ(resolve_path("/storage", "/elsewhere/a.pt"), "/elsewhere/a.pt");
}

}  // namespace
}  // namespace evaljob::test
