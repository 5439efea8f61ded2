// Whatever a user writes arrives byte for byte: at a Command, at a scorer, at a server, in the names of files. Random
// texts of all that is special to someone on the way (dollars above all), up to each field's own limit.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_argument = 4096;  // characters, as the schema has it
constexpr std::size_t longest_prompt = 65'536;
constexpr std::size_t longest_stop = 256;

/// So many characters: of each width, control characters but NUL among them, and what shells, Kubernetes, JSON and YAML
/// take for their own.
std::string random_text(std::mt19937& random, std::size_t characters) {
    static const std::array<std::string, 24> special{"$",
                                                     "$",
                                                     "$",
                                                     "(",
                                                     ")",
                                                     "N",
                                                     "\"",
                                                     "'",
                                                     "\\",
                                                     "\n",
                                                     "\r",
                                                     "\t",
                                                     "\x01",
                                                     "\x1b",
                                                     "\x7f",
                                                     "\xC2\x85",
                                                     "\xE2\x80\xA8",
                                                     "\xEF\xBB\xBF",
                                                     "%",
                                                     "#",
                                                     " ",
                                                     "\xC3\xA9",
                                                     "\xF0\x9F\x98\x80",
                                                     "\xEF\xBF\xBF"};
    static const std::array<std::string, 5> words{"$(NODE_RANK)", "$$(RANK)", "$$x^2$$", "$(HOME)", "${PATH}"};
    std::string text;
    while (characters > 0) {
        const std::string& word = words.at(random() % words.size());
        const bool whole = word.size() <= characters && random() % 8 == 0;
        text += whole ? word : special.at(random() % special.size());
        characters -= whole ? word.size() : 1;
    }
    return text;
}

/// Of a length between one and the limit, which itself comes often.
std::string text_up_to(std::mt19937& random, std::size_t limit) {
    return random_text(random, random() % 3 == 0 ? limit : 1 + random() % std::min<std::size_t>(limit, 60));
}

/// A name of one folder that no path changes when it is made normal.
std::string folder_name(std::mt19937& random) {
    std::string name = "f" + random_text(random, 1 + random() % 20);
    std::erase(name, '/');
    return name;
}

std::vector<std::string> distinct_texts(std::mt19937& random, std::size_t limit) {
    std::set<std::string> texts;
    for (auto left = 1 + random() % 4; left > 0; --left) texts.insert(text_up_to(random, limit));
    return {texts.begin(), texts.end()};
}

/// A prompt's braces are places for the sample's members.
std::string as_prompt(const std::string& text) {
    std::string prompt;
    for (const char c : text) prompt += std::string(c == '{' || c == '}' ? 2 : 1, c);
    return prompt;
}

Json evaljob(const Json& eval, const std::string& output) {
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "literal"}}},
            {"spec", {{"eval", eval}, {"storage", {{"path", output}}}}}};
}

Json generation(const std::string& path, const Json& task) {
    Json dataset = {{"name", "qa"}, {"format", "JSONL"}, {"path", path}, {"task", {{"type", "Generation"}}}};
    dataset["task"].update(task);
    return Json::array({dataset});
}

/// The lines that the processes of this role have left in the folder; the first of each process's are its arguments.
std::vector<Json> seen_in(const std::string& folder, const std::string& role) {
    std::vector<Json> seen;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().filename().string().starts_with("seen-" + role))
            for (Json& line : lines_of(read_text(entry.path().string()))) seen.push_back(std::move(line));
    return seen;
}

/// Without every second brace: each that stays is written twice, and the prompt is as long as it was at most.
std::string with_room_for_braces(const std::string& text) {
    std::string prompt;
    bool stays = false;
    for (const char c : text)
        if ((c != '{' && c != '}') || (stays = !stays)) prompt += c;
    return prompt;
}

class Literal : public testing::TestWithParam<unsigned> {
protected:
    Literal() : random(GetParam()), evaluation("literal") {
        home = evaluation.folder() + "/" + folder_name(random);
        output = folder_name(random);
        fs::create_directories(home);
    }

    /// A dataset of two samples, each with this member.
    std::string write_samples(const std::string& member) {
        const std::string folder = folder_name(random);
        fs::create_directories(home + "/" + folder);
        std::ofstream lines(home + "/" + folder + "/qa$$.jsonl", std::ios::binary);
        for (int i = 0; i < 2; ++i)
            lines << Json({{member, "group"}, {"question", "why"}, {"target", "a"}}).dump() << "\n";
        return folder + "/qa$$.jsonl";
    }

    void run(const Json& job) {
        const std::string file = home + "/evaljob.json";
        std::ofstream(file, std::ios::binary) << job.dump(1);
        ASSERT_EQ(evaluation.run(file)->wait(), 0) << evaluation.console();
        EXPECT_TRUE(fs::exists(home + "/" + output + "/CURRENT")) << "storage.path";
    }

    std::mt19937 random;
    Evaluation evaluation;
    std::string home;    // of the EvalJob file
    std::string output;  // storage.path
};

TEST_P(Literal, AtACommandAndAtAScorer) {
    const std::string group = text_up_to(random, longest_stop);
    const auto stop = distinct_texts(random, longest_stop);
    const std::string program_folder = folder_name(random) + "p", scorer_folder = folder_name(random) + "s";
    for (const std::string& folder : {program_folder, scorer_folder}) fs::create_directories(home + "/" + folder);
    std::vector<std::string> arguments, judge;
    for (auto left = 1 + random() % 4; left > 0; --left) arguments.push_back(text_up_to(random, longest_argument));
    for (auto left = 1 + random() % 4; left > 0; --left) judge.push_back(text_up_to(random, longest_argument));
    const auto command = [](const char* role, const std::vector<std::string>& words) {
        Json whole = {"python3", EVALJOB_SOURCE_DIR "/tests/e2e/echo.py", role};
        for (const std::string& word : words) whole.push_back(word);
        return whole;
    };
    run(evaljob(
        {{"model", {{"format", "Command"}, {"command", command("program", arguments)}, {"path", program_folder}}},
         {"datasets",
          generation(
              write_samples(group),
              {{"stop", stop},
               {"groupBy", group},
               {"scorer", {{"command", command("scorer", judge)}, {"path", scorer_folder}, {"scores", {"right"}}}}})}},
        output));
    const auto seen = seen_in(home + "/" + program_folder, "program");
    ASSERT_EQ(seen.size(), 3U) << "a program's arguments, and two samples";
    EXPECT_EQ(seen[0]["arguments"], Json(arguments));
    EXPECT_EQ(seen[1]["stop"], Json(stop));
    EXPECT_TRUE(seen[1]["input"].contains(group)) << "groupBy, or the dataset's path";
    const auto judged = seen_in(home + "/" + scorer_folder, "scorer");
    ASSERT_FALSE(judged.empty());
    EXPECT_EQ(judged[0]["arguments"], Json(judge));
}

TEST_P(Literal, AtAServer) {
    const std::string port_file = evaluation.folder() + "/port";
    const std::string name = text_up_to(random, longest_stop);
    Program server({"/usr/bin/python3", EVALJOB_SOURCE_DIR "/tests/e2e/echo.py", "server", port_file, name},
                   evaluation.folder() + "/server");
    eventually([&] { return fs::exists(port_file) || !server.running(); });
    const std::string system = text_up_to(random, longest_prompt);
    const std::string prompt = with_room_for_braces(text_up_to(random, longest_prompt));
    const std::string deep = text_up_to(random, longest_prompt);
    const auto stop = distinct_texts(random, longest_stop);
    run(evaljob({{"model",
                  {{"format", "OpenAI"},
                   {"url", "http://127.0.0.1:" + read_text(port_file) + "/v1"},
                   {"name", name},
                   {"systemPrompt", system},
                   {"parameters", {{"chat_template_kwargs", {{deep, deep}}}}}}},
                 {"datasets", generation(write_samples("kind"), {{"stop", stop}, {"prompt", as_prompt(prompt)}})}},
                output));
    const auto seen = lines_of(read_text(port_file + ".seen"));
    ASSERT_FALSE(seen.empty());
    const Json& body = seen[0];
    EXPECT_EQ(body["messages"][0]["content"], system);
    EXPECT_EQ(body["messages"][1]["content"], prompt);
    EXPECT_EQ(body["model"], name);
    EXPECT_EQ(body["stop"], Json(stop));
    EXPECT_EQ(body["chat_template_kwargs"], Json({{deep, deep}}));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Literal, testing::Range(1U, 6U),
                         [](const auto& row) { return std::to_string(row.param); });

TEST(LiteralDollars, AreWhatStandsInTheFile_RegressionTheyWereExpanded) {
    Evaluation evaluation("literal");
    const std::string folder = evaluation.folder() + "/$$d";
    fs::create_directories(folder);
    std::ofstream(folder + "/q.jsonl") << R"({"question": "why", "target": "a"})"
                                       << "\n";
    const std::vector<std::string> arguments{"$$x^2$$", "$(NODE_RANK)", "price $5"};
    Json command = {"python3", EVALJOB_SOURCE_DIR "/tests/e2e/echo.py", "program"};
    for (const std::string& argument : arguments) command.push_back(argument);
    const Json job = evaljob({{"model", {{"format", "Command"}, {"command", command}}},
                              {"datasets", generation("q.jsonl", {{"stop", {"$$", "$(RANK)"}}})}},
                             "out");
    std::ofstream(folder + "/dollars.json") << job.dump();
    ASSERT_EQ(evaluation.run(folder + "/dollars.json")->wait(), 0) << evaluation.console();
    const auto seen = seen_in(folder, "program");
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0]["arguments"], Json(arguments));
    EXPECT_EQ(seen[1]["stop"], Json({"$$", "$(RANK)"}));
    EXPECT_FALSE(fs::exists(evaluation.folder() + "/$d"));
}

TEST(Identity, OfAFolderThatWasReplacedBeforeTheMergeIsNotPublished) {
    // B is evaluated first; while A waits for its last sample, B's folder takes the place of A's.
    const auto job = [](const std::string& name, const std::string& output, const std::string& how) {
        Json object = evaljob({{"model",
                                {{"format", "Command"},
                                 {"command", {"python3", EVALJOB_SOURCE_DIR "/tests/e2e/echo.py", "program", how}}}},
                               {"datasets", generation("q.jsonl", Json::object())}},
                              output);
        object["metadata"]["name"] = name;
        return object.dump();
    };
    Evaluation evaluation("literal");
    const std::string folder = evaluation.folder();
    std::ofstream(folder + "/q.jsonl") << R"({"question": "why", "target": "a"})"
                                       << "\n";
    std::ofstream(folder + "/b.json") << job("b", "b", "b");
    ASSERT_EQ(evaluation.run(folder + "/b.json")->wait(), 0) << evaluation.console();
    // The merge of A finds B's output: a program in its place puts it there, and goes on as the merge.
    fs::create_directories(folder + "/bin");
    fs::copy_file(EVALJOB_BIN_DIR "/evaljob", folder + "/bin/evaljob");
    std::ofstream(folder + "/bin/evaljob-runner")
        << "#!/bin/sh\nif [ \"$1\" = merge ]; then mv '" << folder << "/a/manifest.jsonl' '" << folder
        << "/a/moved'; cp -r '" << folder << "'/b/* '" << folder
        << "/a/'; fi\nexec " EVALJOB_BIN_DIR "/evaljob-runner \"$@\"\n";
    fs::permissions(folder + "/bin/evaljob-runner", fs::perms::owner_all);
    std::ofstream(folder + "/a.json") << job("a", "a", "a");
    Program run({folder + "/bin/evaljob", "run", "-f", folder + "/a.json"}, folder + "/console-a");
    EXPECT_NE(run.wait(), 0);
    const std::string said = read_text(folder + "/console-a");
    EXPECT_NE(said.find("holds another evaluation"), std::string::npos) << said;
}

}  // namespace
}  // namespace evaljob::e2e
