// Whatever a run needs at its end is looked for before its first sample.
#include "evaljob-runner/launch/needed_at_end.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder with bin/judge, which can be executed, bin/notes.txt, which cannot, and an empty folder judges.
class Scorers : public testing::Test {
protected:
    Scorers() {
        for (const char* folder : {"bin", "judges"}) fs::create_directories(root() / folder);
        for (const char* file : {"bin/judge", "bin/notes.txt"}) std::ofstream(root() / file) << "#!/bin/sh\n";
        fs::permissions(root() / "bin/judge", fs::perms::owner_all);
        fs::permissions(root() / "bin/notes.txt", fs::perms::owner_read);
    }
    fs::path root() const { return folder_.path(); }

    std::string refusal(const std::vector<std::string>& command, const std::string& path = "",
                        const std::string& search = "") const {
        Eval eval;
        eval.datasets.resize(2);
        eval.datasets[0].name = "plain";
        eval.datasets[1].name = "qa";
        eval.datasets[1].task.scorer = Scorer{command, path, {"right"}, std::nullopt};
        const Environment environment{{"PATH", search.empty() ? (root() / "bin").string() : search}};
        const auto there = look_up_scorers(eval, root().string(), environment);
        return there ? "" : there.error().reason + ": " + there.error().message;
    }

    TemporaryFolder folder_;
};

TEST_F(Scorers, ThatCanBeExecutedAreFound) {
    EXPECT_EQ(refusal({"judge"}), "") << "on PATH";
    EXPECT_EQ(refusal({"bin/judge", "--strict"}), "") << "in the storage root";
    EXPECT_EQ(refusal({"../bin/judge"}, "judges"), "") << "in its folder";
    EXPECT_EQ(refusal({(root() / "bin/judge").string()}, "judges"), "") << "by its whole path";
    EXPECT_EQ(refusal({"judge"}, "", "/nowhere:bin"), "") << "PATH may be relative to the folder";
    EXPECT_EQ(refusal({"judge"}, "bin", ":/nowhere"), "") << "an empty folder of PATH is its own";
}

TEST_F(Scorers, ThatCannotAreNamedWithTheMend) {
    EXPECT_THAT(refusal({"no-such-judge"}),
                HasSubstr("BadInput: dataset qa: task.scorer.command: no-such-judge: No such file or directory; is it "
                          "installed here (in a cluster: in the image of container runner), and executable?"));
    EXPECT_THAT(refusal({"notes.txt", "x"}), HasSubstr("task.scorer.command: notes.txt: Permission denied"));
    EXPECT_THAT(refusal({"./judges"}), HasSubstr("task.scorer.command: ./judges: Permission denied")) << "a folder";
    EXPECT_THAT(refusal({"judge"}, "missing"),
                HasSubstr("dataset qa: task.scorer.path: " + (root() / "missing").string() +
                          ": No such file or directory; it is the folder that the program starts in"));
    EXPECT_THAT(refusal({"judge"}, "bin/judge"), HasSubstr("bin/judge: Not a directory"));
}

}  // namespace
}  // namespace evaljob::test
