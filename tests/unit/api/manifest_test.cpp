#include "api/manifest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "api/digest.hpp"

namespace evaljob::test {
namespace {

/// Three samples of dataset 0, two of dataset 1, each twice, in batches of up to four.
Manifest small() {
    Manifest m;
    m.config = {{"model", {{"sha256", "aa"}}}, {"datasets", {{{"name", "one"}}, {{"name", "two"}}}}};
    m.repeats = 2;
    for (std::uint32_t i = 0; i < 3; ++i) m.samples.push_back({0, std::to_string(i), "hash", Json(i), "Shirt"});
    m.samples.push_back({1, "0", "hash", Json(1), "Coat"});
    m.samples.push_back({1, "ä \"quoted\"\n", "hash", Json(), ""});
    m.batches = plan_batches(m.samples, m.repeats, 4);
    return m;
}

std::vector<std::vector<std::uint64_t>> items_of(const std::vector<ManifestBatch>& batches) {
    std::vector<std::vector<std::uint64_t>> items;
    for (const auto& batch : batches) items.push_back(batch.items);
    return items;
}

TEST(Manifest, ComesBackEqual) {
    const Manifest whole = small();
    const auto decoded = decode_manifest(encode_manifest(whole));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->identity, identity_of(whole));
    const Manifest& manifest = decoded->manifest;
    EXPECT_EQ(encode_manifest(manifest), encode_manifest(whole));
    EXPECT_EQ(manifest.items(), 10U);
    EXPECT_EQ(manifest.config, whole.config);
    EXPECT_EQ(items_of(manifest.batches), items_of(whole.batches));
    ASSERT_EQ(manifest.samples.size(), 5U);
    EXPECT_EQ(manifest.samples[4].id, "ä \"quoted\"\n");
    EXPECT_EQ(manifest.samples[4].target, Json());
    EXPECT_EQ(manifest.samples[2].group, "Shirt");
}

TEST(Manifest, HasAnIdentityThatDoesNotChangeFromVersionToVersion) {
    // The digest of the bytes that docs/formats.md says it is of.
    const std::string header = "{\"config\":{\"datasets\":[{}]},\"format\":1,\"repeats\":1}\n";
    Manifest m;
    m.config = {{"datasets", Json::array({Json::object()})}};
    m.samples = {{0, "a", "h", Json(1), "g"}};
    m.batches = {{{0}}};
    EXPECT_EQ(identity_of(m), sha256_hex(header + "[0,\"a\",\"h\",1,\"g\"]\n[0]\n"));
}

TEST(Manifest, WithALineOfManyMegabytesIsRefusedBeforeItIsParsed) {
    const std::string text = encode_manifest(small());
    const std::size_t second = text.find('\n') + 1;
    const std::string blanks(std::size_t{65} << 20U, ' ');
    const auto sample = decode_manifest(text.substr(0, second) + blanks + text.substr(second));
    ASSERT_FALSE(sample);
    EXPECT_EQ(sample.error().message, "manifest line 2: is longer than 64 MiB");
    EXPECT_EQ(decode_manifest(blanks + text).error().message, "manifest line 1: is longer than 64 MiB");
}

struct Change {
    const char* name;
    std::function<void(Manifest&)> make;
};

class ManifestIdentity : public testing::TestWithParam<Change> {};

TEST_P(ManifestIdentity, ChangesWithEachPart) {
    Manifest changed = small();
    GetParam().make(changed);
    EXPECT_NE(identity_of(changed), identity_of(small()));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ManifestIdentity,
    testing::Values(Change{"Model", [](Manifest& m) { m.config["model"]["sha256"] = "bb"; }},
                    Change{"AnotherSetting", [](Manifest& m) { m.config["inference"] = 1; }},
                    Change{"Repeats", [](Manifest& m) { m.repeats = 3; }},
                    Change{"SampleDataset", [](Manifest& m) { m.samples[0].dataset = 1; }},
                    Change{"SampleId", [](Manifest& m) { m.samples[0].id = "z"; }},
                    Change{"SampleHash", [](Manifest& m) { m.samples[0].hash = "z"; }},
                    Change{"SampleTarget", [](Manifest& m) { m.samples[0].target = 2; }},
                    Change{"SampleGroup", [](Manifest& m) { m.samples[0].group = "z"; }},
                    Change{"OrderOfSamples", [](Manifest& m) { std::swap(m.samples[0], m.samples[1]); }},
                    Change{"OneSampleLess", [](Manifest& m) { m.samples.pop_back(); }},
                    Change{"OrderInABatch",
                           [](Manifest& m) { std::swap(m.batches[0].items[0], m.batches[0].items[1]); }},
                    Change{"OrderOfBatches", [](Manifest& m) { std::swap(m.batches[0], m.batches[1]); }},
                    Change{"AnotherPlan", [](Manifest& m) { m.batches = plan_batches(m.samples, m.repeats, 3); }}),
    [](const auto& row) { return row.param.name; });

/// The text of `small()` with a true identity in its header, whatever was changed: what else is wrong must show.
std::string signed_text(const std::function<void(Manifest&)>& change) {
    Manifest m = small();
    change(m);
    return encode_manifest(m);
}

std::string replaced(std::string text, const std::string& part, const std::string& by) {
    const auto at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), by);
}

struct Damage {
    const char* name;
    std::string text;
    const char* says;
};

class DamagedManifest : public testing::TestWithParam<Damage> {};

TEST_P(DamagedManifest, IsRefused) {
    const auto decoded = decode_manifest(GetParam().text);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().reason, "Damaged");
    EXPECT_NE(decoded.error().message.find(GetParam().says), std::string::npos) << decoded.error().message;
}

std::vector<Damage> damages() {
    const std::string whole = encode_manifest(small());
    return {
        {"Empty", "", "line 1: is missing"},
        {"NoJson", "hello\n", "line 1: is no manifest header"},
        {"NoObject", "[1]\n", "line 1: is no manifest header"},
        {"OtherFormat", replaced(whole, "\"format\":1", "\"format\":2"), "line 1: is of format 2"},
        {"NoIdentity", replaced(whole, "\"identity\"", "\"Identity\""), "line 1: is no manifest header"},
        {"NegativeCount", replaced(whole, "\"samples\":5", "\"samples\":-5"), "line 1: is no manifest header"},
        {"NoRepeats", replaced(whole, "\"repeats\":2", "\"repeats\":0"), "line 1: repeats is out of range"},
        {"ManyRepeats", replaced(whole, "\"repeats\":2", "\"repeats\":1000001"), "line 1: repeats is out of range"},
        {"MoreItemsThanBytes", replaced(whole, "\"repeats\":2", "\"repeats\":1000000"), "is out of range"},
        {"OneSampleTooMany", replaced(whole, "\"samples\":5", "\"samples\":6"), "line 7: is not [dataset"},
        {"OneSampleTooFew", replaced(whole, "\"samples\":5", "\"samples\":4"), "line 6:"},
        {"OneBatchTooMany", replaced(whole, "\"batches\":3", "\"batches\":4"), "line 10: is missing"},
        {"OneBatchTooFew", replaced(whole, "\"batches\":3", "\"batches\":2"), "is in no batch"},
        {"CountlessSamples", replaced(whole, "\"samples\":5", "\"samples\":18446744073709551615"), "line 7:"},
        {"LineBehindTheEnd", whole + "[0]\n", "line 10: is one too many"},
        {"LastLineNotEnded", whole.substr(0, whole.size() - 1), "line 9: is missing"},
        {"SampleNoArray", replaced(whole, "[0,\"1\",", "{0,\"1\","), "line 3: is not [dataset"},
        {"NoSuchDataset", signed_text([](Manifest& m) { m.samples[1].dataset = 2; }), "line 3: names a dataset"},
        {"TheSameIdTwice", signed_text([](Manifest& m) { m.samples[1].id = "0"; }), "line 3: repeats the sample id 0"},
        {"NoSuchItem", signed_text([](Manifest& m) { m.batches[0].items[0] = 10; }), "line 7: names an item that"},
        {"ItemTwice", signed_text([](Manifest& m) { m.batches[1].items[0] = 0; }), "line 8: names item 0"},
        {"ItemInNoBatch", signed_text([](Manifest& m) { m.batches[0].items.pop_back(); }), "item 3 is in no batch"},
        {"EmptyBatch", signed_text([](Manifest& m) { m.batches.push_back({}); }), ""},
        {"AnotherTarget", replaced(whole, "[0,\"1\",\"hash\",1", "[0,\"1\",\"hash\",2"), "identity"},
        {"ASpaceMore", replaced(whole, "[0,\"1\",", "[0, \"1\","), "line 3: is not [dataset"},
        {"AnotherConfig", replaced(whole, "\"aa\"", "\"ab\""), "identity"},
    };
}

INSTANTIATE_TEST_SUITE_P(Table, DamagedManifest, testing::ValuesIn(damages()),
                         [](const auto& row) { return row.param.name; });

TEST(DamagedManifest, EveryCutIsRefused) {
    const std::string whole = encode_manifest(small());
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(decode_manifest(whole.substr(0, length))) << "of " << length << " bytes";
}

TEST(DamagedManifest, EveryFlippedBitIsRefusedOrHarmless) {
    const std::string whole = encode_manifest(small());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = whole;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
            const auto decoded = decode_manifest(flipped);
            if (!decoded) continue;
            EXPECT_EQ(encode_manifest(decoded->manifest), whole) << "byte " << at << " bit " << bit;
        }
    }
}

struct Plan {
    const char* name;
    std::vector<std::uint32_t> datasets;  // of each sample
    std::uint32_t repeats;
    std::int32_t max_batch_size;
    std::vector<std::vector<std::uint64_t>> expected;
};

class PlanBatches : public testing::TestWithParam<Plan> {};

TEST_P(PlanBatches, AreOfConsecutiveItemsOfOneDataset) {
    const auto& [name, datasets, repeats, size, expected] = GetParam();
    std::vector<ManifestSample> samples;
    for (const auto dataset : datasets) samples.push_back({dataset, std::to_string(samples.size()), "", Json(), ""});
    EXPECT_EQ(items_of(plan_batches(samples, repeats, size)), expected);
}

INSTANTIATE_TEST_SUITE_P(Table, PlanBatches,
                         testing::Values(Plan{"NoSamples", {}, 1, 4, {}}, Plan{"OneSample", {0}, 1, 4, {{0}}},
                                         Plan{"Exact", {0, 0, 0, 0}, 1, 2, {{0, 1}, {2, 3}}},
                                         Plan{"Remainder", {0, 0, 0}, 1, 2, {{0, 1}, {2}}},
                                         Plan{"OneByOne", {0, 0, 0}, 1, 1, {{0}, {1}, {2}}},
                                         Plan{"LargerThanAll", {0, 0, 0}, 1, 1'000'000, {{0, 1, 2}}},
                                         Plan{"DatasetsNeverShareABatch", {0, 0, 0, 1, 1}, 1, 2, {{0, 1}, {2}, {3, 4}}},
                                         Plan{"ADatasetOfOne", {0, 1, 2}, 1, 8, {{0}, {1}, {2}}},
                                         Plan{"FirstDatasetNotZero", {1, 1, 0}, 1, 8, {{0, 1}, {2}}},
                                         Plan{"Repeats", {0, 0}, 2, 8, {{0, 1, 2, 3}}},
                                         Plan{"RepeatsAreCutWhereTheBatchIsFull", {0, 0}, 3, 4, {{0, 1, 2, 3}, {4, 5}}},
                                         Plan{"RepeatsOfTwoDatasets", {0, 1}, 2, 3, {{0, 1}, {2, 3}}}),
                         [](const auto& row) { return row.param.name; });

struct TokenPlan {
    const char* name;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> samples;  // of each: dataset, tokens
    std::uint32_t repeats;
    std::int32_t max_batch_size;
    std::int32_t max_batch_tokens;
    std::vector<std::vector<std::uint64_t>> expected;
};

class PlanBatchesByTokens : public testing::TestWithParam<TokenPlan> {};

TEST_P(PlanBatchesByTokens, AreOfLikeLengthAndWithinTheBudget) {
    const auto& [name, lengths, repeats, size, tokens, expected] = GetParam();
    std::vector<ManifestSample> samples;
    for (const auto& [dataset, length] : lengths)
        samples.push_back({dataset, std::to_string(samples.size()), "", Json(), "", 0, length});
    EXPECT_EQ(items_of(plan_batches_by_tokens(samples, repeats, size, tokens)), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, PlanBatchesByTokens,
    testing::Values(TokenPlan{"NoSamples", {}, 1, 4, 10, {}}, TokenPlan{"OneSample", {{0, 5}}, 1, 4, 10, {{0}}},
                    TokenPlan{"TheLongestFirst", {{0, 1}, {0, 3}, {0, 2}}, 1, 1, 100, {{1}, {2}, {0}}},
                    TokenPlan{"TiesInTheSamplesOrder", {{0, 2}, {0, 2}, {0, 2}, {0, 2}}, 1, 2, 100, {{0, 1}, {2, 3}}},
                    TokenPlan{"ExactlyTheBudget", {{0, 5}, {0, 5}, {0, 5}}, 1, 8, 10, {{0, 1}, {2}}},
                    TokenPlan{"PaddingCounts", {{0, 6}, {0, 2}, {0, 2}}, 1, 8, 10, {{0}, {1, 2}}},
                    TokenPlan{"OverTheBudgetAlone", {{0, 1}, {0, 50}, {0, 1}}, 1, 8, 10, {{1}, {0, 2}}},
                    TokenPlan{"NoMoreThanTheSize", {{0, 1}, {0, 1}, {0, 1}}, 1, 2, 100, {{0, 1}, {2}}},
                    TokenPlan{"WithoutTokens", {{0, 0}, {0, 0}, {0, 0}}, 1, 2, 1, {{0}, {1}, {2}}},
                    TokenPlan{"DatasetsNeverShareABatch", {{1, 1}, {1, 4}, {0, 9}}, 1, 8, 100, {{1, 0}, {2}}},
                    TokenPlan{"Repeats", {{0, 2}, {0, 5}}, 2, 8, 10, {{2, 3}, {0, 1}}},
                    TokenPlan{"RepeatsThatFillUp", {{0, 2}, {0, 3}}, 2, 8, 10, {{2, 3, 0}, {1}}}),
    [](const auto& row) { return row.param.name; });

TEST(PlanBatchesByTokens, HoldEveryItemOnceWhateverTheLengths) {
    std::vector<ManifestSample> samples;
    for (std::uint64_t i = 0; i < 1'000; ++i)
        samples.push_back({i < 333 ? 0U : 1U, std::to_string(i), "", Json(), "", 0, i * 7919 % 100});
    std::set<std::uint64_t> seen;
    for (const auto& batch : plan_batches_by_tokens(samples, 3, 7, 300)) {
        std::uint64_t longest = 0;
        for (const auto item : batch.items) {
            EXPECT_TRUE(seen.insert(item).second) << item;
            EXPECT_EQ(samples[item / 3].dataset, samples[batch.items.front() / 3].dataset);
            longest = std::max(longest, samples[item / 3].tokens);
        }
        EXPECT_LE(batch.items.size(), 7U);
        EXPECT_LE(longest * batch.items.size(), 300U);
    }
    EXPECT_EQ(seen.size(), 3'000U);
}

TEST(PlanBatches, HoldEveryItemOnce) {
    std::vector<ManifestSample> samples;
    for (int i = 0; i < 1'000; ++i) samples.push_back({i < 333 ? 0U : 1U, std::to_string(i), "", Json(), ""});
    std::set<std::uint64_t> seen;
    for (const auto& batch : plan_batches(samples, 3, 7)) {
        EXPECT_LE(batch.items.size(), 7U);
        for (const auto item : batch.items) EXPECT_TRUE(seen.insert(item).second) << item;
    }
    EXPECT_EQ(seen.size(), 3'000U);
}

}  // namespace
}  // namespace evaljob::test
