// Between a rank and its program stands a small process that keeps the program: it ends with the rank, and ends the
// program with everything that the program has started. A parent-death signal alone reaches only one child.
#pragma once

#include <sys/types.h>

namespace evaljob {

struct KeptProgram {
    char* const* argv = nullptr;
    char* const* environment = nullptr;
    const char* folder = nullptr;
    int input = -1;
    int output = -1;
    int failure = -1;  // gets an errno and a letter when the program cannot be run: 'd' the folder, 'x' the program
};

/// Forks the keeper, which runs the program and ends with its status, 128 + signal if one ended it. -1: errno says why.
pid_t start_keeper(const KeptProgram& program);

}  // namespace evaljob
