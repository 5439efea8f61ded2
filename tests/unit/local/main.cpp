// The test program is also what it tests with: the process runtime's guardian, and a program to be killed.
#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

#include "local/process_runtime.hpp"
#include "tests/unit/local/victim.hpp"

int main(int argc, char** argv) {
    const std::string subcommand = argc > 1 ? argv[1] : "";
    if (subcommand == evaljob::local::runtime_subcommand && argc == 3)
        return evaljob::local::run_process_runtime(std::atoi(argv[2]));
    if (subcommand == evaljob::local::victim_subcommand && argc == 4)
        return evaljob::local::run_victim(argv[2], argv[3]);
    testing::InitGoogleMock(&argc, argv);
    return RUN_ALL_TESTS();
}
