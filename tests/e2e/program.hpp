// A program that a test starts, in a session of its own, and what can be seen of the processes below it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace evaljob::e2e {

inline constexpr std::chrono::seconds patience{600};  // beyond which something hangs; a busy machine is slow

class Program {
public:
    /// Standard output and error go to `log`. `extra` is added to the test's own environment.
    Program(const std::vector<std::string>& argv, const std::string& log,
            const std::map<std::string, std::string>& extra = {});
    ~Program();  // SIGKILL, if it still runs
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int signal_number) const;
    bool running();
    /// The exit status, 128 + signal when one ended it; -1 when it does not end within `limit`.
    int wait(std::chrono::seconds limit = patience);

private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

struct ProcessView {
    pid_t pid = 0;
    std::vector<std::string> argv;
    std::map<std::string, std::string> environment;

    bool is(const std::string& program) const {
        return !argv.empty() && (argv[0] == program || argv[0].ends_with("/" + program));
    }
    std::string variable(const std::string& name) const;
};

/// Every process whose chain of parents leads to `root`.
std::vector<ProcessView> descendants(pid_t root);

/// Every process of this machine whose environment has this variable with this value.
std::vector<ProcessView> with_variable(const std::string& name, const std::string& value);

/// Looks again and again, without a fixed pause that anything depends on, until `condition` holds; false after `limit`.
bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit = patience);

std::string read_text(const std::string& path);

}  // namespace evaljob::e2e
