#include "evaljob-runner/engine/program_lookup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace evaljob {

namespace {

namespace fs = std::filesystem;

constexpr const char* usual_path = "/bin:/usr/bin";  // execvp's, without PATH

/// Why this process could not do it: an errno, 0 when it could.
int may_execute(const fs::path& path) { return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno; }

int may_enter(const fs::path& folder) {
    struct stat there {};
    if (::stat(folder.c_str(), &there) != 0) return errno;
    return S_ISDIR(there.st_mode) ? may_execute(folder) : ENOTDIR;
}

int may_run(const fs::path& program) {
    struct stat there {};
    if (::stat(program.c_str(), &there) != 0) return errno;
    return S_ISREG(there.st_mode) ? may_execute(program) : EACCES;
}

int may_run_by_name(const std::string& name, const fs::path& folder, const std::string& path) {
    int why = ENOENT;
    std::istringstream folders(path);
    for (std::string one; std::getline(folders, one, ':');) {
        const int here = may_run(folder / one / name);  // an empty one is the folder itself
        if (here == 0) return 0;
        if (here == EACCES) why = here;
    }
    return why;
}

}  // namespace

tl::unexpected<Error> no_program(const std::string& field, const std::string& program, int error) {
    return fail("BadInput", field + ": " + program + ": " + std::strerror(error) +
                                "; is it installed here (in a cluster: in the image of container runner), and "
                                "executable?");
}

tl::unexpected<Error> no_folder(const std::string& field, const std::string& folder, int error) {
    return fail("BadInput", field + ": " + folder + ": " + std::strerror(error) +
                                "; it is the folder that the program starts in; is the path right?");
}

Result<void> look_up_program(const ProgramPlace& place, const Environment& environment) {
    if (const int why = may_enter(place.folder); why != 0) return no_folder(place.folder_field, place.folder, why);
    const bool by_name = place.program.find('/') == std::string::npos;
    const int why = by_name ? may_run_by_name(place.program, place.folder, value_of(environment, "PATH", usual_path))
                            : may_run(fs::path(place.folder) / place.program);
    if (why != 0) return no_program(place.command_field, place.program, why);
    return {};
}

}  // namespace evaljob
