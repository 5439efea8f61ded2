// Whether a program that is to be started can be: its folder, and the program as execvp would find it there.
#pragma once

#include <string>

#include "api/contract.hpp"
#include "api/result.hpp"

namespace evaljob {

/// A program that cannot be run, of this errno. `field` is what names it, for messages.
tl::unexpected<Error> no_program(const std::string& field, const std::string& program, int error);
/// The same of the folder that it would start in.
tl::unexpected<Error> no_folder(const std::string& field, const std::string& folder, int error);

struct ProgramPlace {
    std::string program;  // looked for on PATH, unless it has a slash
    std::string folder;   // to start in
    std::string command_field;
    std::string folder_field;
};

/// Fails with BadInput. What runs a script (its first line) is not looked for, nor the program's arguments.
Result<void> look_up_program(const ProgramPlace& place, const Environment& environment);

}  // namespace evaljob
