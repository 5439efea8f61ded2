// A model's file spread by Gloo among real processes on loopback. Whatever becomes of one, the others have the file's
// bytes, from the group or by reading it after all, and nobody waits for ever.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>

#include "api/digest.hpp"
#include "tests/e2e/program.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

namespace fs = std::filesystem;

struct Row {
    const char* name;
    std::vector<std::string> how;  // each member's part
    std::set<int> from_group;      // who must have the bytes from it
    std::set<int> by_reading;      // who cannot
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Row rows[] = {
    {"AllIsWell", {"well", "well", "well"}, {0, 1, 2}, {}},
    {"TheReaderDies", {"dies-reading", "well", "well"}, {}, {1, 2}},
    {"TheReaderHangs", {"hangs-reading", "well", "well"}, {}, {1, 2}},
    {"TheReaderDiesBeforeItReads", {"dies-entered", "well", "well"}, {}, {1, 2}},
    {"AnotherDies", {"well", "well", "dies-entered"}, {}, {0, 1}},
    {"AnotherHangs", {"well", "hangs-entered", "well"}, {}, {0, 2}},
    {"OneNeverComes", {"well", "well", "absent"}, {}, {0, 1, 2}},
    {"TheFirstNeverComes", {"absent", "well", "well"}, {}, {0, 1, 2}},
    {"OneMeansAnotherFile", {"well", "other", "well"}, {}, {0, 1, 2}},
};

class Gloo : public testing::TestWithParam<Row> {
protected:
    Gloo() {
        folder_ = (fs::temp_directory_path() / "evaljob-gloo-XXXXXX").string();
        if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("cannot make " + folder_);
        std::mt19937_64 random(1);
        std::string bytes;
        while (bytes.size() < (40U << 20U)) {  // three pieces
            const auto word = random();
            bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
        }
        std::ofstream(folder_ + "/model", std::ios::binary) << bytes;
        sha256_ = sha256_hex(bytes);
    }
    ~Gloo() override {
        std::error_code ignored;
        if (!HasFailure()) fs::remove_all(folder_, ignored);
    }

    std::string told(const std::string& what, std::size_t member) const {
        return read_text(folder_ + "/" + what + "-" + std::to_string(member));
    }
    std::string log(std::size_t member) const { return folder_ + "/log-" + std::to_string(member); }

    std::string folder_;
    std::string sha256_;
};

bool ends_by_itself(const std::string& how) { return !how.starts_with("hangs"); }

TEST_P(Gloo, GivesEveryoneWhoLivesTheBytes) {
    const auto& how = GetParam().how;
    std::vector<std::unique_ptr<Program>> members;
    for (std::size_t i = 0; i < how.size(); ++i)
        members.push_back(std::make_unique<Program>(
            std::vector<std::string>{EVALJOB_BIN_DIR "/gloo_member", folder_, std::to_string(i),
                                     std::to_string(how.size()), folder_ + "/model", how[i]},
            log(i)));
    for (std::size_t i = 0; i < how.size(); ++i) {
        if (!ends_by_itself(how[i])) continue;
        const bool dies = how[i].starts_with("dies");
        EXPECT_EQ(members[i]->wait(std::chrono::seconds(120)), dies ? 128 + SIGKILL : 0) << "member " << i << "\n"
                                                                                         << read_text(log(i));
        EXPECT_EQ(told("sha256", i), dies ? "" : sha256_) << "member " << i;
    }
    for (const int i : GetParam().from_group) EXPECT_EQ(told("group", i), "all bytes") << "member " << i;
    for (const int i : GetParam().by_reading)
        EXPECT_NE(read_text(log(i)).find("reading " + folder_ + "/model here"), std::string::npos)
            << "member " << i << "\n"
            << read_text(log(i));
}

INSTANTIATE_TEST_SUITE_P(Table, Gloo, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::e2e
