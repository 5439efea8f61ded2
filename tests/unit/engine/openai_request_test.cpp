// What is asked of a server: the URL, the key, prompts, images, the request's JSON.
#include <gmock/gmock.h>

#include <filesystem>

#include "evaljob-runner/dataset/image_folder.hpp"
#include "evaljob-runner/engine/openai/api_key.hpp"
#include "evaljob-runner/engine/openai/chat_request.hpp"
#include "evaljob-runner/engine/openai/fit.hpp"
#include "evaljob-runner/engine/openai/url.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::openai {
namespace {

using test::TemporaryFolder;
using testing::HasSubstr;
using testing::Not;

const std::string png = std::string("\x89PNG\r\n\x1a\n", 8) + "rest";

struct UrlRow {
    const char* name;
    const char* text;
    Url url;
    const char* host;
    bool local = false;
};

class GoodUrl : public testing::TestWithParam<UrlRow> {};

TEST_P(GoodUrl, IsTakenApart) {
    const auto url = parse_url(GetParam().text);
    ASSERT_TRUE(url) << url.error().message;
    EXPECT_EQ(*url, GetParam().url);
    EXPECT_EQ(host_header(*url), GetParam().host);
    EXPECT_EQ(is_local(*url), GetParam().local);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodUrl,
    testing::Values(
        UrlRow{
            "BesideTheRunner", "http://localhost:8000/v1", {false, "localhost", "8000", "/v1"}, "localhost:8000", true},
        UrlRow{
            "SlashAtTheEnd", "http://127.0.0.1:8000/v1/", {false, "127.0.0.1", "8000", "/v1"}, "127.0.0.1:8000", true},
        UrlRow{"Https", "https://api.example.com/v1", {true, "api.example.com", "443", "/v1"}, "api.example.com"},
        UrlRow{"NoPath", "http://vllm", {false, "vllm", "80", ""}, "vllm"},
        UrlRow{"Ipv6", "http://[::1]:81/a/b", {false, "::1", "81", "/a/b"}, "[::1]:81", true},
        UrlRow{"Ipv6WithoutPort", "https://[fd00::2]/v1", {true, "fd00::2", "443", "/v1"}, "[fd00::2]"}),
    [](const auto& row) { return row.param.name; });

TEST(BadUrl, SaysWhatAGoodOneIsLike) {
    for (const char* text : {"localhost:8000", "ftp://a/v1", "http:///v1", "http://a:/v1", "http://a:99999/v1",
                             "http://a:x", "http://[::1/v1", "http://user:secret@a/v1", "http://a/v1?version=2"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().reason, "BadInput");
        EXPECT_THAT(url.error().message, HasSubstr("it must be like http://localhost:8000/v1"));
    }
}

TEST(ApiKey, IsTheVariablesValueWithoutSpaceAroundIt) {
    const Environment environment{
        {"KEY", " sk-1\n"}, {"EMPTY", "\n"}, {"TWO", "a\nb"}, {"LETTERS", "schl\xc3\xbcssel"}};
    EXPECT_EQ(*api_key("", environment), "");
    EXPECT_EQ(*api_key("KEY", environment), "sk-1");
    for (const char* variable : {"EMPTY", "TWO", "LETTERS", "ABSENT"}) {
        const auto key = api_key(variable, environment);
        ASSERT_FALSE(key) << variable;
        EXPECT_EQ(key.error().reason, "BadInput");
        EXPECT_THAT(key.error().message, HasSubstr(std::string("spec.eval.model.apiKeyVariable: ") + variable));
        EXPECT_THAT(key.error().message, Not(HasSubstr("a\nb")));
    }
}

struct PromptRow {
    const char* name;
    const char* prompt;
    const char* sample;
    const char* text;  // JSON; or the end of the message
    bool good = true;
};

class Prompts : public testing::TestWithParam<PromptRow> {};

TEST_P(Prompts, PutMembersIn) {
    const auto members = json_members(GetParam().sample, Strictness::Json);
    ASSERT_TRUE(members);
    const auto prompt = Prompt::read(GetParam().prompt);
    const auto text = prompt ? prompt->for_sample(*members) : tl::unexpected(prompt.error());
    if (GetParam().good) {
        ASSERT_TRUE(text) << text.error().message;
        EXPECT_EQ(*text, GetParam().text);
        EXPECT_FALSE(Json::parse(*text, nullptr, false).is_discarded());
    } else {
        ASSERT_FALSE(text);
        EXPECT_EQ(text.error().reason, "BadInput");
        EXPECT_THAT(text.error().message, HasSubstr(GetParam().text));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Prompts,
    testing::Values(PromptRow{"Plain", "What?", "{}", R"("What?")"},
                    PromptRow{"Members", "{a}\nor {b}?", R"({"a":"x\n\"é","b":"y"})", R"("x\n\"é\nor y?")"},
                    PromptRow{"Numbers", "{n} {t} {l}", R"({"n":1.50,"t":true,"l":["a",2]})",
                              R"("1.50 true [\"a\",2]")"},
                    PromptRow{"Braces", "{{x}} {a}}}", R"({"a":"1"})", R"("{x} 1}")"},
                    PromptRow{"Quotes", "\"{a}\"", R"({"a":"1"})", R"("\"1\"")"},
                    PromptRow{"Optional", "{a?}-{b?}-{c?}", R"({"a":"x","b":null})", R"("x--")"},
                    PromptRow{"OnlyAQuestionMark", "{?}", "{}", "has a { without a name and }", false},
                    PromptRow{"NoOptions", "{options}", R"({"A":"a"})", "the sample has no options", false},
                    PromptRow{"NoSuchMember", "{a}", "{}", "the sample has no a, which task.prompt names", false},
                    PromptRow{"Open", "{a", "{}", "has a { without a name and }", false},
                    PromptRow{"Empty", "{}", "{}", "has a { without a name and }", false},
                    PromptRow{"Within", "{a{b}}", "{}", "has a { without a name and }", false},
                    PromptRow{"Closed", "a}", "{}", "has a } without {", false}),
    [](const auto& row) { return row.param.name; });

class ChatRequest : public testing::Test {
protected:
    Result<std::string> body(const std::string& input, const std::string& prompt = "") {
        Request request;
        request.sample.input = input;
        request.sample.image = image_;
        request.seed = 4'000'000'000U;
        std::optional<Prompt> read;
        if (!prompt.empty()) read = *Prompt::read(prompt);
        const auto files = [](const std::string& path) -> Result<std::string> {
            if (path == "cat.png") return png;
            return evaljob::fail("BadInput", "image_path " + path + ": is not there");
        };
        auto asked = chat_request(model_, task_, read, request, files);
        if (!asked) return tl::unexpected(asked.error());
        return asked->body + fitted_end(fit_, asked->max_new_tokens, asked->seed);
    }
    Json messages(const std::string& input, const std::string& prompt = "") {
        const auto text = body(input, prompt);
        return text ? Json::parse(*text)["messages"] : Json(text.error().message);
    }

    Model model_ = [] {
        Model model;
        model.format = ModelFormat::OpenAI;
        model.name = "tiny";
        return model;
    }();
    Task task_;
    std::string image_;  // that the dataset has read
    Fit fit_;
};

TEST_F(ChatRequest, HasTheLimitByTheNameThatTheServerKnowsAndASeedWhereItIsTaken) {
    task_.max_new_tokens = 64;
    fit_ = {true, false};
    const Json asked = Json::parse(*body(R"({"question":"q"})"));
    EXPECT_EQ(asked["max_completion_tokens"], 64);
    EXPECT_FALSE(asked.contains("max_tokens") || asked.contains("seed")) << asked;
}

struct OptionsRow {
    const char* name;
    const char* sample;
    const char* prompt;  // "": none
    const char* asked;
};

class OptionsAsked : public ChatRequest, public testing::WithParamInterface<OptionsRow> {};

TEST_P(OptionsAsked, EachUnderItsOwnLetter) {
    EXPECT_EQ(messages(GetParam().sample, GetParam().prompt)[0]["content"], GetParam().asked);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OptionsAsked,
    testing::Values(
        OptionsRow{"AsVLMEvalKitAsks", R"({"question":"Even?","A":"1","B":"2","hint":"h"})", "",
                   "Hint: h\nQuestion: Even?\nOptions:\nA. 1\nB. 2\n"
                   "Please select the correct answer from the options above. \n"},
        OptionsRow{"BehindAGap", R"({"question":"q","A":"a","C":"c","E":"e"})", "",
                   "Question: q\nOptions:\nA. a\nC. c\nE. e\n"
                   "Please select the correct answer from the options above. \n"},
        OptionsRow{"FirstIsEmpty", R"({"question":"q","A":"","B":"b","C":3,"D":null,"E":true})", "",
                   "Question: q\nOptions:\nB. b\nC. 3\nE. true\n"
                   "Please select the correct answer from the options above. \n"},
        OptionsRow{"AAlone", R"({"question":"q","A":"a"})", "", "q"},
        OptionsRow{"CoordinatesAreNone", R"({"question":"q","X":"1","Y":"2"})", "", "q"},
        OptionsRow{"ListsAreNone", R"({"question":"q","A":[1],"B":{"b":1}})", "", "q"},
        OptionsRow{"AWholePrompt", R"({"prompt":"p","A":"a","B":"b"})", "", "p"},
        OptionsRow{"InAPrompt", R"({"question":"q","A":"a","C":"c"})", "{question}\n{options}!", "q\nA. a\nC. c!"},
        OptionsRow{"ByTheirLetters", R"({"question":"q","A":"a","B":"b"})", "{B} or {A}", "b or a"},
        OptionsRow{"ANamesakeOfTheSample", R"({"question":"q","A":"a","B":"b","options":"its own"})", "{options}",
                   "its own"},
        OptionsRow{"OptionalAndNone", R"({"question":"q"})", "{question}{options?}", "q"},
        OptionsRow{"BehindAPromptThatNamesNone", R"({"question":"q","A":"a","B":"b"})", "{question}?",
                   "q?\nOptions:\nA. a\nB. b\nPlease select the correct answer from the options above. \n"}),
    [](const auto& row) { return row.param.name; });

TEST_F(ChatRequest, WithoutItsImageIsNotAsked) {
    for (const char* empty :
         {R"({"question":"q","image":""})", R"({"question":"q","image":null})", R"({"question":"q","image_path":[]})"})
        EXPECT_EQ(messages(empty), "it has no image, where the dataset has images") << empty;
    EXPECT_EQ(messages(R"({"question":"q","image":"","image_path":"cat.png"})")[0]["content"].size(), 2U);
}

struct StopRow {
    const char* name;
    const char* parameters;
    std::vector<std::string> texts;
    bool stay = false;
};

class Stops : public testing::TestWithParam<StopRow> {};

TEST_P(Stops, AreThoseOfTheRequest) {
    Model model;
    model.parameters = Json::parse(GetParam().parameters);
    Task task;
    task.stop = {"task"};
    const StopTexts stop = stop_texts(model, task);
    EXPECT_EQ(stop.texts, GetParam().texts);
    EXPECT_EQ(stop.stay, GetParam().stay);
}

INSTANTIATE_TEST_SUITE_P(Table, Stops,
                         testing::Values(StopRow{"OfTheTask", "{}", {"task"}},
                                         StopRow{"AText", R"({"stop":"a"})", {"a"}},
                                         StopRow{"AList", R"({"stop":["a","b",3]})", {"a", "b"}},
                                         StopRow{"None", R"({"stop":null})", {}},
                                         StopRow{"Stay", R"({"include_stop_str_in_output":true})", {"task"}, true}),
                         [](const auto& row) { return row.param.name; });

struct FitRow {
    const char* name;
    int status;
    const char* body;
    bool completion_tokens = false;
    bool seed = true;
};

class FitOfAServer : public testing::TestWithParam<FitRow> {};

TEST_P(FitOfAServer, IsLearnedFromWhatItRefuses) {
    const FitRow& row = GetParam();
    Model model;
    const auto fit = refit({}, fit_rules(model), row.status, row.body).value_or(Fit{});
    EXPECT_EQ(fit.completion_tokens, row.completion_tokens);
    EXPECT_EQ(fit.seed, row.seed);
    EXPECT_FALSE(refit(fit, fit_rules(model), row.status, row.body) && fit != Fit{}) << "it is learned once";
    model.token_limit = TokenLimit::MaxTokens;
    model.send_seed = SendSeed::Always;
    EXPECT_FALSE(refit({}, fit_rules(model), row.status, row.body)) << "what the EvalJob says stays";
}

INSTANTIATE_TEST_SUITE_P(
    Table, FitOfAServer,
    testing::Values(
        FitRow{"OpenAI", 400,
               R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use )"
               R"('max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}})",
               true},
        FitRow{
            "Mistral", 422,
            R"({"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]})",
            false, false},
        FitRow{"LiteLLM", 400, "UnsupportedParamsError: x does not support parameters: ['seed'], for model=y", false,
               false},
        FitRow{"Gemini", 400, R"(Invalid JSON payload received. Unknown name \"seed\": Cannot find field.)", false,
               false},
        FitRow{"Both", 400, "unknown members: max_tokens, seed", true, false},
        FitRow{
            "ALimitThatIsTooLarge", 400,
            "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 2048"},
        FitRow{"AnotherMember", 400, "Unsupported parameter: 'temperature'"},
        FitRow{"ALongerWord", 400, "unsupported parameter max_tokens_per_day, seeds"},
        FitRow{"AnotherStatus", 500, "Unsupported parameter: 'max_tokens'"}),
    [](const auto& row) { return row.param.name; });

TEST(FitRules, AreTheEvalJobs) {
    Model model;
    model.token_limit = TokenLimit::MaxCompletionTokens;
    model.send_seed = SendSeed::Never;
    EXPECT_EQ(fit_rules(model).first, (Fit{true, false}));
}

TEST_F(ChatRequest, IsGreedyAndHasTheSeedOfTheSample) {
    EXPECT_EQ(Json::parse(*body(R"({"question":"q"})")),
              Json::parse(R"({"model":"tiny","stream":false,"temperature":0,"seed":1852516352,
                              "messages":[{"role":"user","content":"q"}]})"));
}

TEST_F(ChatRequest, HasTheParametersTheTasksTokensAndTheSystemPrompt) {
    model_.parameters = {
        {"temperature", 0.7}, {"stop", {"\n"}}, {"chat_template_kwargs", {{"enable_thinking", false}}}};
    model_.system_prompt = "Be \"brief\".";
    task_.max_new_tokens = 64;
    EXPECT_EQ(Json::parse(*body(R"({"question":"q"})")),
              Json::parse(R"({"model":"tiny","stream":false,"temperature":0.7,"stop":["\n"],"max_tokens":64,
                              "chat_template_kwargs":{"enable_thinking":false},"seed":1852516352,
                              "messages":[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"q"}]})"));
}

TEST_F(ChatRequest, DrawsAsTheTaskSaysWhereTheModelsParametersDoNot) {
    task_.temperature = "0.7";
    task_.top_p = "0.9";
    task_.stop = {"\n"};
    model_.parameters = {{"top_p", 0.5}};
    EXPECT_EQ(
        Json::parse(*body(R"({"question":"q"})")),
        Json::parse(R"({"model":"tiny","stream":false,"temperature":0.7,"top_p":0.5,"stop":["\n"],"seed":1852516352,
                              "messages":[{"role":"user","content":"q"}]})"));
}

TEST_F(ChatRequest, HasTheSamplesTextsAsTheyStandInTheDataset) {
    EXPECT_THAT(*body(R"({"question":"\ud800 \u0000 é"})"), HasSubstr(R"("content":"\ud800 \u0000 é")"));
    const std::string given = R"([{"role":"user","content":"a","weight":1.50}, {"role":"assistant","content":null}])";
    EXPECT_THAT(*body("{\"messages\":" + given + "}"), HasSubstr("\"messages\":" + given));
}

TEST_F(ChatRequest, TakesThePromptBeforeMessagesAndTheMessagesBeforeAQuestion) {
    const std::string all = R"({"messages":[{"role":"user","content":"m"}],"prompt":"p","question":"q"})";
    EXPECT_EQ(messages(all, "{question}!")[0]["content"], "q!");
    EXPECT_EQ(messages(all)[0]["content"], "m");
    EXPECT_EQ(messages(R"({"prompt":"p","question":"q"})")[0]["content"], "p");
}

TEST_F(ChatRequest, HasImagesBeforeTheQuestion) {
    const Json two = messages(R"({"question":"q","image":["iVBORw0KGgo=","https://e.org/a.png"]})");
    ASSERT_EQ(two[0]["content"].size(), 3U) << two;
    const auto url = [](const Json& said, int i) {
        return said[0]["content"][i]["image_url"]["url"].get<std::string>();
    };
    EXPECT_EQ(url(two, 0), "data:image/png;base64,iVBORw0KGgo=");
    EXPECT_EQ(url(two, 1), "https://e.org/a.png");
    EXPECT_EQ(two[0]["content"][2], Json({{"type", "text"}, {"text", "q"}}));
    const Json files = messages(R"({"question":"q","image_path":["cat.png","cat.png"]})");
    ASSERT_EQ(files[0]["content"].size(), 3U) << files;
    EXPECT_EQ(url(files, 1), "data:image/png;base64,iVBORw0KGgpyZXN0");
}

TEST_F(ChatRequest, TakesAnImageBeforeItsPathAndWhatTheDatasetHasReadBeforeBoth) {
    const std::string both = R"({"question":"q","image":"https://e.org/a.png","image_path":"dog.png"})";
    EXPECT_EQ(messages(both)[0]["content"][0]["image_url"]["url"], "https://e.org/a.png");
    image_ = png;
    const Json read = messages(both);
    ASSERT_EQ(read[0]["content"].size(), 2U) << read;
    EXPECT_EQ(read[0]["content"][0]["image_url"]["url"], "data:image/png;base64,iVBORw0KGgpyZXN0");
}

struct Refused {
    const char* name;
    const char* input;
    const char* why;
};

class BadSample : public ChatRequest, public testing::WithParamInterface<Refused> {};

TEST_P(BadSample, SaysWhatIsTheMatter) {
    const auto text = body(GetParam().input);
    ASSERT_FALSE(text) << *text;
    EXPECT_EQ(text.error().reason, "BadInput");
    EXPECT_THAT(text.error().message, HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadSample,
    testing::Values(
        Refused{"Nothing", "{}", "neither messages, nor a prompt, nor a question"},
        Refused{"NumberForAQuestion", R"({"question":7})", "question must be a text"},
        Refused{"NoList", R"({"messages":"hello"})", "messages must be a list"},
        Refused{"EmptyList", R"({"messages":[]})", "messages must be a list"},
        Refused{"ImagesBesideMessages", R"({"messages":[{}],"image":"https://a"})", "images beside its messages"},
        Refused{"NoImage", R"({"question":"q","image":"YWJj"})", "image is no PNG"},
        Refused{"NoBase64", R"({"question":"q","image":"cat.png"})", "neither base64 nor a URL"},
        Refused{"ANumberForAnImage", R"({"question":"q","image":[1]})", "image must be a text or a list"},
        Refused{"NoFile", R"({"question":"q","image_path":"dog.png"})", "image_path dog.png: is not there"}),
    [](const auto& row) { return row.param.name; });

TEST_F(ChatRequest, OfTooManyBytesIsRefused) {
    EXPECT_THAT(body("{\"question\":\"" + std::string(max_request_bytes, 'x') + "\"}").error().message,
                HasSubstr("at most 67108864 are sent"));
}

TEST(ImageType, IsToldByTheFirstBytes) {
    EXPECT_EQ(image_type(png), "image/png");
    EXPECT_EQ(image_type("\xff\xd8\xff\xe0"), "image/jpeg");
    EXPECT_EQ(image_type("GIF89a"), "image/gif");
    EXPECT_EQ(image_type(std::string("RIFF\1\0\0\0WEBPVP8 ", 16)), "image/webp");
    EXPECT_EQ(image_type("<svg>"), "");
    EXPECT_EQ(image_type(""), "");
}

TEST(Images, AreReadFromTheDatasetsFolderAlone) {
    const TemporaryFolder folder;
    folder.write("set/lines.jsonl", "");
    folder.write("set/images/cat.png", png);
    folder.write("secret", "s");
    std::filesystem::create_symlink("../secret", folder / "set/link");
    const ImageFolder images(folder / "set/lines.jsonl");
    EXPECT_EQ(*images.read("images/cat.png"), png);
    EXPECT_EQ(*images.read("images/../images/cat.png"), png);
    for (const std::string& path : {std::string("../secret"), std::string("link"), folder / "secret"}) {
        const auto bytes = images.read(path);
        ASSERT_FALSE(bytes) << path;
        EXPECT_THAT(bytes.error().message, HasSubstr("leads out of the dataset's folder"));
    }
    EXPECT_THAT(images.read("dog.png").error().message, HasSubstr("No such file"));
    EXPECT_THAT(images.read("images").error().message, HasSubstr("is no file"));
}

TEST(Images, OfTooManyBytesAreRefused) {
    const TemporaryFolder folder;
    folder.write("big.png", "x");
    std::filesystem::resize_file(folder / "big.png", max_image_file_bytes + 1);
    const auto bytes = ImageFolder(folder / "lines.jsonl").read("big.png");
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().reason, "BadInput");
}

}  // namespace
}  // namespace evaljob::openai
