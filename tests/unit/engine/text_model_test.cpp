// What a generating model says of itself, prompts, texts as tokens, and drawing one by chance.
#include "evaljob-runner/engine/text_model.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "api/json.hpp"
#include "evaljob-runner/engine/choose_token.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json described() {
    return Json::parse(
        R"({"format": 1, "tokens": ["<pad>", "<end>", "an", "a", " an", " ankle", " boot", "n", {"base64": "/w=="}],
                           "pad": 0, "stop": [1], "maxPromptTokens": 8, "maxNewTokens": 4})");
}

TextModel model(const Json& object = described()) {
    auto model = read_text_model(object.dump());
    if (!model) throw std::runtime_error(model.error().message);
    return *model;
}

TEST(TextModel, SaysItsTokensAndLimits) {
    const TextModel read = model();
    EXPECT_EQ(read.tokens.size(), 9U);
    EXPECT_EQ(read.tokens[8], "\xff");
    EXPECT_TRUE(read.is_stop(1));
    EXPECT_FALSE(read.is_stop(0));
    EXPECT_EQ(read.unknown, std::nullopt);
    EXPECT_EQ(read.prompt, "{question}");
    EXPECT_EQ(read.max_new_tokens, 4);
    EXPECT_EQ(read.channels, 0);
}

struct Bad {
    const char* name;
    const char* patch;  // merged into a good one
    const char* says;
};
void PrintTo(const Bad& row, std::ostream* out) { *out << row.name; }

class BadTextModel : public testing::TestWithParam<Bad> {};

TEST_P(BadTextModel, IsRefused) {
    Json object = described();
    object.merge_patch(Json::parse(GetParam().patch));
    const auto read = read_text_model(object.dump());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().reason, "BadInput");
    EXPECT_THAT(read.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadTextModel,
    testing::Values(Bad{"OfALaterFormat", R"({"format": 2})", "format must be 1"},
                    Bad{"WithoutTokens", R"({"tokens": []})", "tokens must be the list"},
                    Bad{"WithANumberForAToken", R"({"tokens": ["a", 7]})", "token 1 must be a text"},
                    Bad{"WithoutPadding", R"({"pad": null})", "pad must be a whole number from 0 to 8"},
                    Bad{"WithPaddingThatIsNoToken", R"({"pad": 9})", "pad must be a whole number from 0 to 8"},
                    Bad{"WithoutAnEnd", R"({"stop": 1})", "stop must be the list"},
                    Bad{"WithAnEndThatIsNoToken", R"({"stop": [-1]})", "stop must be a whole number"},
                    Bad{"WithASpecialOneThatIsNoToken", R"({"special": [9]})", "special must be a whole number"},
                    Bad{"WithATextForASpecialOne", R"({"special": "<s>"})", "special must be a list of tokens"},
                    Bad{"WithTwoChannels", R"({"channels": 2})", "channels must be 1 or 3"},
                    Bad{"WithANumberForAPrompt", R"({"prompt": 7})", "prompt must be a text"},
                    Bad{"WithAHeightAlone", R"({"height": 28})", "height and width go together"},
                    Bad{"WithoutALimit", R"({"maxNewTokens": null})", "maxNewTokens must be a whole number from 1"},
                    Bad{"WithAFractionForALimit", R"({"maxPromptTokens": 1.5})",
                        "maxPromptTokens must be a whole number"},
                    Bad{"WithAHugeLimit", R"({"maxNewTokens": 18446744073709551615})", "maxNewTokens must be"}),
    [](const auto& row) { return row.param.name; });

TEST(Prompt, HasTheInputsMembersForTheirNames) {
    const std::string input = R"({"question":"a \"b\"","A":"one","n":7})";
    EXPECT_EQ(*prompt_of("{question}", input), "a \"b\"");
    EXPECT_EQ(*prompt_of("Q: {question} A. {A} {n}{", input), "Q: a \"b\" A. one 7{");
    EXPECT_EQ(*prompt_of("", input), "");
    EXPECT_EQ(prompt_of("{question} {B}", input).error().message, "it has no B, which the model's prompt names");
}

std::string lettered(std::string_view input) {
    std::string text;
    for (const auto& option : options_of(input)) text += std::string(1, option.letter) + "=" + option.text + " ";
    return text;
}

TEST(Options, BehindAGapKeepTheirOwnLetters) {
    EXPECT_EQ(lettered(R"({"B":"two","A":"one","D":"four"})"), "A=one B=two D=four ");
    EXPECT_EQ(lettered(R"({"B":"two"})"), "B=two ");
    EXPECT_EQ(lettered(R"({"A":"one","B":null,"C":"","Z":7,"AA":"x","a":"y"})"), "A=one Z=7 ");
    EXPECT_EQ(lettered("{}"), "");
}

TEST(Tokenizer, TakesTheLongestTokenThatFits) {
    const Tokenizer tokenizer(model());
    EXPECT_THAT(*tokenizer.encode("an ankle boot"), ElementsAre(2, 5, 6));
    EXPECT_THAT(*tokenizer.encode("ann an"), ElementsAre(2, 7, 4));
    EXPECT_THAT(*tokenizer.encode("\xff"), ElementsAre(8));
    EXPECT_THAT(*tokenizer.encode(""), ElementsAre());
    EXPECT_EQ(tokenizer.decode({2, 5, 6, 8}), "an ankle boot\xff");
}

TEST(Tokenizer, RefusesWhatNoTokenHas) {
    const Tokenizer tokenizer(model());
    EXPECT_EQ(tokenizer.encode("anü").error().message, "its prompt has \"ü\", which no token of the model has");
    EXPECT_THAT(tokenizer.encode("<end").error().message, HasSubstr("\"<\"")) << "nor part of a special one";
}

/// As a chat's template writes it: marks of turns among words, some of which begin like them.
Json chat() {
    return Json::parse(
        R"({"format": 1, "tokens": ["<pad>", "<|end|>", "<|user|>", "<|user|>!", "<", "<|", "us", "er", "|>", "\n",
                                    "<|end", "hi", "hi<|", "<unk>"],
            "pad": 0, "stop": [1], "unknown": 13, "special": [2, 3], "maxPromptTokens": 64, "maxNewTokens": 4})");
}

struct Encoded {
    const char* name;
    const char* text;
    std::vector<Token> tokens;
};
void PrintTo(const Encoded& row, std::ostream* out) { *out << row.name; }

class SpecialTokens : public testing::TestWithParam<Encoded> {};

// A prompt's stop and padding tokens were split as if they were words: 0 of 500 chat prompts had the model's tokens.
TEST_P(SpecialTokens, AreFoundBeforeAPromptIsSplit) {
    const Tokenizer tokenizer(model(chat()));
    EXPECT_EQ(*tokenizer.encode(GetParam().text), GetParam().tokens);
    if (std::string(GetParam().name) != "Unknown") {
        EXPECT_EQ(tokenizer.decode(GetParam().tokens), GetParam().text);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table, SpecialTokens,
    testing::Values(Encoded{"Alone", "<|end|>", {1}}, Encoded{"Between", "<|user|>hi<|end|>\n", {2, 11, 1, 9}},
                    Encoded{"BeforeALongerWord", "hi<|end|>", {11, 1}}, Encoded{"TheLongestOfTwo", "<|user|>!", {3}},
                    Encoded{"SideBySide", "<|user|><|user|><pad>", {2, 2, 0}},
                    Encoded{"NotWholeIsText", "<|us<|end", {5, 6, 10}},
                    Encoded{"TheUnknownOneByItsName", "<unk>hi", {13, 11}}, Encoded{"Unknown", "?<|end|>", {13, 1}},
                    Encoded{"AtTheEnd", "hi<pad>", {11, 0}}, Encoded{"Nothing", "", {}}),
    [](const auto& row) { return row.param.name; });

TEST(SpecialTokens, WithoutATextAreNeverFound) {
    Json object = chat();
    EXPECT_EQ(doubts_of(model(object)), "");
    object["tokens"][1] = "";
    object["tokens"][0] = "<|user|>";
    EXPECT_EQ(
        doubts_of(model(object)),
        "stop token 1 has no text: never found in a prompt; where prompts should hold it, give it its own text in "
        "tokens");
    object["tokens"][2] = "<|user|>";
    object["stop"] = {1, 2};
    EXPECT_THAT(doubts_of(model(object)),
                HasSubstr("stop token 1 has no text; stop token 2 has the text of token 0: "));
    EXPECT_THAT(*Tokenizer(model(object)).encode("<|user|>"), ElementsAre(0));
}

TEST(Tokenizer, HasOneTokenForEachUnknownCharacter) {
    Json object = described();
    object["unknown"] = 8;
    const Tokenizer tokenizer(model(object));
    EXPECT_THAT(*tokenizer.encode("aü an"), ElementsAre(3, 8, 4));
}

constexpr float infinity = std::numeric_limits<float>::infinity();

std::optional<Choice> choose(const std::vector<float>& scores, const Sampling& sampling = {}, double random = 0) {
    return choose_token(scores.data(), static_cast<std::int64_t>(scores.size()), sampling, random);
}

TEST(Choosing, TakesTheLikeliestWithoutATemperature) {
    const auto choice = choose({1, 3, 3, -infinity}, {}, 0.99);
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->token, 1) << "the first of equal ones";
    EXPECT_NEAR(choice->log_probability, -std::log(2 + std::exp(-2.0)), 1e-9);
}

TEST(Choosing, IsNotDoneAmongWhatIsNoNumber) {
    EXPECT_FALSE(choose({1, std::nanf(""), 0}));
    EXPECT_FALSE(choose({-infinity, -infinity}));
    EXPECT_FALSE(choose({infinity, 0}));
    EXPECT_FALSE(choose({}));
}

/// How often each of three tokens of probability 0.1, 0.6 and 0.3 is drawn, of 1,000 times evenly.
std::vector<int> drawn(const Sampling& sampling) {
    std::vector<int> counts(3);
    for (int i = 0; i < 1000; ++i) {
        const auto choice = choose({std::log(0.1F), std::log(0.6F), std::log(0.3F)}, sampling, (i + 0.5) / 1000);
        ++counts[static_cast<std::size_t>(choice->token)];
    }
    return counts;
}

TEST(Choosing, DrawsByProbability) {
    EXPECT_THAT(drawn({1, 1}), ElementsAre(100, 600, 300));
    EXPECT_THAT(drawn({1, 0.85}), ElementsAre(0, 667, 333)) << "the least likely is left out";
    EXPECT_THAT(drawn({1, 0.5}), ElementsAre(0, 1000, 0));
    EXPECT_THAT(drawn({1, 0}), ElementsAre(0, 1000, 0)) << "one is always left";
    // Their squares are 0.01, 0.36 and 0.09.
    EXPECT_THAT(drawn({0.5, 1}), ElementsAre(22, 783, 195));
}

TEST(Random, IsOfSeedAndPlaceAlone) {
    // SplitMix64, as its author's page has it, for the states 0, 1 and 2^32.
    EXPECT_DOUBLE_EQ(random_at(0, 0), static_cast<double>(0xE220A8397B1DCDAFU >> 11U) * 0x1p-53);
    EXPECT_NE(random_at(0, 1), random_at(1, 0));
    double sum = 0;
    for (std::uint32_t seed = 0; seed < 100; ++seed) {
        for (std::uint32_t place = 0; place < 100; ++place) {
            const double random = random_at(seed, place);
            ASSERT_TRUE(random >= 0 && random < 1);
            sum += random;
        }
    }
    EXPECT_NEAR(sum / 10'000, 0.5, 0.01);
}

}  // namespace
}  // namespace evaljob::test
