#include "local/process_tree.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace evaljob::local {
namespace {

using Children = std::map<pid_t, std::vector<pid_t>>;  // parent → children

/// The parent's pid in "PID (NAME) STATE PPID …"; the name may hold parentheses and spaces. 0 when the process is gone.
pid_t parent_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text(4096, '\0');
    // A process may go between open and read; read() notes that, where a stream iterator would throw.
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    const auto after_name = text.rfind(')');
    if (after_name == std::string::npos || after_name + 4 >= text.size()) return 0;
    pid_t parent = 0;
    std::from_chars(text.data() + after_name + 4, text.data() + text.size(), parent);
    return parent;
}

Children all_children() {
    Children children;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const auto name = entry.path().filename().string();
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error == std::errc() && end == name.data() + name.size()) children[parent_of(pid)].push_back(pid);
    }
    return children;
}

void kill_tree(const Children& children, pid_t root) {
    ::kill(root, SIGKILL);
    const auto found = children.find(root);
    if (found == children.end()) return;
    for (const auto child : found->second) kill_tree(children, child);
}

}  // namespace

std::set<pid_t> own_children() {
    const auto children = all_children();
    const auto found = children.find(::getpid());
    if (found == children.end()) return {};
    return {found->second.begin(), found->second.end()};
}

void end_descendants(const std::set<pid_t>& keep) {
    for (;;) {
        const auto children = all_children();
        std::vector<pid_t> ending;
        if (const auto own = children.find(::getpid()); own != children.end()) {
            for (const auto child : own->second) {
                if (!keep.contains(child)) ending.push_back(child);
            }
        }
        if (ending.empty()) return;
        for (const auto child : ending) kill_tree(children, child);
        // Once these are waited for, their children, if any escaped the snapshot, are ours: another round finds them.
        for (const auto child : ending) {
            while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
    }
}

}  // namespace evaljob::local
