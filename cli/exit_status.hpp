// What `evaljob` says with its exit status; docs/cli.md lists them for people.
#pragma once

namespace evaljob::cli_exit {

inline constexpr int success = 0;
inline constexpr int failed = 1;         // the job failed, or something unforeseen happened
inline constexpr int usage = 2;          // the command line or the EvalJob file is wrong
inline constexpr int interrupted = 130;  // Ctrl-C or SIGTERM; the same command again resumes

}  // namespace evaljob::cli_exit
