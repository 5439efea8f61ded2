// Holds the source to the dependency rule: api <- pure files <- shells <- mains.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "house.hpp"
#include "tests/places.hpp"

namespace evaljob::house {

void PrintTo(const NeverIncludes& rule, std::ostream* out) { *out << rule.name; }
void PrintTo(const IncludesOnly& rule, std::ostream* out) { *out << rule.name; }
void PrintTo(const NeverNames& rule, std::ostream* out) { *out << rule.name; }
void PrintTo(const NeverWords& rule, std::ostream* out) { *out << rule.name; }

namespace {

const std::vector<SourceFile>& product() {
    static const std::vector<SourceFile> files = read_sources(EVALJOB_SOURCE_DIR, source_folders());
    return files;
}

const std::vector<SourceFile>& everything() {
    static const std::vector<SourceFile> files = [] {
        std::vector<std::string> folders = source_folders();
        folders.emplace_back("tests");
        return read_sources(EVALJOB_SOURCE_DIR, folders);
    }();
    return files;
}

testing::AssertionResult none(const Violations& violations) {
    testing::AssertionResult result = violations.empty() ? testing::AssertionSuccess() : testing::AssertionFailure();
    for (const std::string& violation : violations) result << "\n" << violation;
    if (!result) result << "\n";
    return result;
}

template <class Rule>
std::string name_of(const testing::TestParamInfo<Rule>& info) {
    return info.param.name;
}

class Includes : public testing::TestWithParam<NeverIncludes> {};
TEST_P(Includes, AreKept) { EXPECT_TRUE(none(check(GetParam(), everything()))); }
INSTANTIATE_TEST_SUITE_P(House, Includes, testing::ValuesIn(include_rules()), name_of<NeverIncludes>);

class Arrows : public testing::TestWithParam<IncludesOnly> {};
TEST_P(Arrows, PointOneWay) { EXPECT_TRUE(none(check(GetParam(), product()))); }
INSTANTIATE_TEST_SUITE_P(House, Arrows, testing::ValuesIn(arrows()), name_of<IncludesOnly>);

class Names : public testing::TestWithParam<NeverNames> {};
TEST_P(Names, AreAbsent) { EXPECT_TRUE(none(check(GetParam(), product()))); }
INSTANTIATE_TEST_SUITE_P(House, Names, testing::ValuesIn(name_rules()), name_of<NeverNames>);

class Words : public testing::TestWithParam<NeverWords> {};
TEST_P(Words, AreAbsent) { EXPECT_TRUE(none(check(GetParam(), everything()))); }
INSTANTIATE_TEST_SUITE_P(House, Words, testing::ValuesIn(word_rules()), name_of<NeverWords>);

TEST(House, EveryHeaderIsIncludedOnce) { EXPECT_TRUE(none(headers_without_once(everything()))); }

TEST(House, NoFileIsLongerThan600Lines) { EXPECT_TRUE(none(longer_than(600, everything()))); }

// A renamed file would leave the rules without a word.
TEST(House, EveryRowOfThePureFilesIsThere) {
    for (const std::string& beginning : pure_files().beginnings) {
        EXPECT_TRUE(std::any_of(product().begin(), product().end(), [&](const SourceFile& file) {
            return file.path.starts_with(beginning);
        })) << beginning;
    }
}

}  // namespace

}  // namespace evaljob::house
