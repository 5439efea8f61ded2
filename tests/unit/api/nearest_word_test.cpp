#include "api/nearest_word.hpp"

#include <gtest/gtest.h>

namespace evaljob {
namespace {

const std::vector<std::string> commands{"run", "validate", "explain"};

struct Mistyped {
    const char* name;
    std::string word;
    const char* says;
};
void PrintTo(const Mistyped& row, std::ostream* out) { *out << row.name; }

class MistypedCommand : public testing::TestWithParam<Mistyped> {};

// It said "A subcommand is required".
TEST_P(MistypedCommand, IsNamedWithTheNearestOne) {
    EXPECT_EQ(unknown_word("command", GetParam().word, commands), GetParam().says);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MistypedCommand,
    testing::Values(Mistyped{"ALetterLess", "valdate", "there is no command valdate; did you mean validate?"},
                    Mistyped{"TwoSwapped", "rnu", "there is no command rnu; did you mean run?"},
                    Mistyped{"Another", "status", "there is no command status; there are run, validate, explain"},
                    Mistyped{"WithAnEscape", "r\x1b[2J",
                             "there is no command r\\x1b[2J; there are run, validate, explain"},
                    Mistyped{"AFile", "jobs/evaljob.yaml",
                             "there is no command jobs/evaljob.yaml; there are run, validate, explain"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob
