// A program that runs one container with a shell script and then waits to be killed.
#pragma once

#include <string>

namespace evaljob::local {

inline constexpr const char* victim_subcommand = "__victim";

int run_victim(const std::string& script, const std::string& log_path);

}  // namespace evaljob::local
