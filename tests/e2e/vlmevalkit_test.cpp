// A model with VLMEvalKit's interface, by the adapter of examples/vlmevalkit, with the real programs. The model is
// tests/e2e/vlm_stand_in.py, so VLMEvalKit need not be here.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "api/base64.hpp"
#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

struct Row {
    std::string index;
    std::string image;
    std::string image_path;
    std::string question;
    std::string options;  // two cells
    std::string prediction;
    std::string error = "";
};

std::vector<Row> rows() {
    const std::string image = picture();
    const std::string no_image(80, 'A');
    return {
        {"one", image, "", "size", "\t", "hi Questions size 56x56"},
        {"again", "one", "", "size", "\t", "hi Questions size 56x56"},
        {"none", "", "", "size", "\t", "hi Questions size"},
        {"two", "['" + image + "', '" + image + "']", "", "size", "\t", "hi Questions size 56x56 56x56"},
        {"file", "", "pictures/a.png", "size", "\t", "hi Questions size 56x56"},
        {"both", image, "not there.png", "size", "\t", "hi Questions size 56x56"},
        {"options", "", "", "which?", "x\ty",
         "hi Questions which?\nA. x\nB. y\nAnswer with the letter of the right option."},
        {"peers", "", "", "peers", "\t", ""},
        {"fail", "", "", "fail", "\t", "", "ValueError: no answer to this"},
        {"bytes", "", "", "bytes", "\t", "", "TypeError: generate() gave no text but bytes"},
        {"damaged", no_image, "", "size", "\t", "", "ValueError: an image is no PNG, JPEG, GIF, WebP or BMP file"},
    };
}

constexpr int draws = 40;

void write_files(const Evaluation& evaluation) {
    const std::string sets = evaluation.folder() + "/sets";
    std::filesystem::create_directories(sets + "/pictures");
    std::ofstream(sets + "/pictures/a.png", std::ios::binary) << base64_decode(picture()).value();
    std::ofstream table(sets + "/questions.tsv", std::ios::binary);
    table << "index\timage\timage_path\tquestion\tA\tB\tanswer\n";
    for (const Row& row : rows())
        table << row.index << "\t" << row.image << "\t" << row.image_path << "\t" << row.question << "\t" << row.options
              << "\ta\n";
    for (int i = 0; i < draws; ++i) table << i << "\t\t\tdraw\t\t\ta\n";
    const std::string source = EVALJOB_SOURCE_DIR;
    std::filesystem::copy_file(source + "/examples/vlmevalkit/vlmevalkit.py", evaluation.folder() + "/vlmevalkit.py");
    std::filesystem::copy_file(source + "/tests/e2e/vlm_stand_in.py", evaluation.folder() + "/vlm_stand_in.py");
}

Json job(int nodes, int procs) {
    const Json command = {"python3",
                          "vlmevalkit.py",
                          "vlm_stand_in:Model",
                          "--kwargs",
                          R"({"greeting":"hi"})",
                          "--datasets",
                          R"({"questions":"Questions"})"};
    const Json dataset = {{"name", "questions"},
                          {"format", "TSV"},
                          {"path", "sets/questions.tsv"},
                          {"task", {{"type", "Generation"}, {"metrics", Json::array({"ExactMatch"})}}}};
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "vlm"}}},
            {"spec",
             {{"numNodes", nodes},
              {"numProcPerNode", procs},
              {"eval",
               {{"model", {{"format", "Command"}, {"command", command}}},
                {"datasets", Json::array({dataset})},
                {"repeats", 2},
                {"inference", {{"device", "CPU"}, {"maxBatchSize", 4}}}}},
              {"merge", {{"maxFailedSamples", 6}}},
              {"storage", {{"path", "output"}}}}}};
}

std::map<std::string, std::string> published(int nodes, int procs) {
    Evaluation evaluation("vlmevalkit");
    write_files(evaluation);
    EXPECT_EQ(evaluation.start_text(job(nodes, procs).dump(1))->wait(), 0) << evaluation.console();
    return evaluation.published();
}

TEST(VlmEvalKit, AModelIsAskedForEachSampleAndGivesTheSameBytesFromAnyNumberOfRanks) {
    const auto alone = published(1, 1);
    const auto lines = lines_of(alone.at("results.jsonl"));
    const auto expected = rows();
    ASSERT_EQ(lines.size(), 2 * (expected.size() + draws));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        for (const Json& line : {lines[2 * i], lines[2 * i + 1]}) {
            ASSERT_EQ(line.at("id"), expected[i].index);
            EXPECT_EQ(line.value("error", ""), expected[i].error) << line;
            if (expected[i].error.empty()) {
                EXPECT_EQ(line.at("prediction"), expected[i].prediction) << line;
            }
        }
    }
    std::set<std::string> drawn;
    for (std::size_t i = 2 * expected.size(); i < lines.size(); ++i)
        drawn.insert(lines[i].at("prediction").get<std::string>());
    EXPECT_EQ(drawn.size(), 2U * draws) << "each sample and repeat has a seed of its own";
    EXPECT_EQ(published(2, 2), alone);
}

}  // namespace
}  // namespace evaljob::e2e
