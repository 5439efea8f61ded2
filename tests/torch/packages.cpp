#include "tests/torch/packages.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "api/digest.hpp"
#include "tests/e2e/program.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {

namespace {

namespace fs = std::filesystem;

std::string python() {
    const char* folder = std::getenv("EVALJOB_TORCH_PYTHON");
    if (folder == nullptr) return "";
    const std::string program = std::string(folder) + "/python";
    static const bool compiles =
        fs::exists(program) &&
        Program({program, "-c", "import torch, sympy, networkx, jinja2, filelock, fsspec, setuptools"}, "/dev/null")
                .wait() == 0;
    return compiles ? program : "";
}

/// One at a time, whichever of this machine's test programs asks.
class Locked {
public:
    explicit Locked(const std::string& path) : file_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
        ::flock(file_, LOCK_EX);
    }
    ~Locked() { ::close(file_); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

private:
    int file_;
};

}  // namespace

std::string no_packages() {
    if (!python().empty()) return "";
    return "no Python with torch, sympy, networkx, jinja2, filelock, fsspec and setuptools in EVALJOB_TORCH_PYTHON: "
           "./dev test brings one, unless EVALJOB_TORCH_DIR names another libtorch or the system's Python is not 3.11";
}

std::string package(const std::vector<std::string>& options, const std::string& of) {
    std::string key = fs::canonical(python()).string() + python();
    for (const char* file : {"export.py", "train.py", "model.py", "model.pt"})  // read_text: empty if there is none
        key += read_text(of + file);
    std::vector<std::string> command{python(), of + "export.py"};
    for (const auto& option : options) {
        key += " " + option;
        command.push_back(option);
    }
    const std::string folder = EVALJOB_BIN_DIR "/../packages";
    fs::create_directories(folder);
    const std::string path = folder + "/" + sha256_hex(key).substr(0, 16) + ".pt2";
    const Locked lock(path + ".lock");
    if (fs::exists(path)) return path;
    const std::string made = path + ".new.pt2";
    command.insert(command.end(), {"--out", made});
    const int status = Program(command, path + ".log").wait();
    EXPECT_EQ(status, 0) << read_text(path + ".log");
    if (status != 0) return "";
    fs::rename(made, path);
    return path;
}

}  // namespace evaljob::e2e
