// One child of the launcher: a process that dies with it, whose output is read line by line.
// Thread rule: the io_context's one thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/streambuf.hpp>

#include "api/contract.hpp"
#include "api/result.hpp"

namespace evaljob {

class Child : public std::enable_shared_from_this<Child> {
public:
    /// Starts argv[0] (looked up on PATH) with exactly this environment; stdout and stderr go to `on_line`.
    /// The child gets SIGKILL when the launcher dies. Of the launcher's descriptors it has `handed_down` alone, unless
    /// that is -1, as descriptor 3.
    static Result<std::shared_ptr<Child>> start(boost::asio::io_context& io, const std::vector<std::string>& argv,
                                                const Environment& environment,
                                                std::function<void(const std::string& line)> on_line,
                                                int handed_down = -1);

    int pid() const { return pid_; }
    void signal(int signal_number) const;
    /// The last lines that it printed, oldest first.
    const std::deque<std::string>& last_lines() const { return last_lines_; }
    /// Takes what is still in the pipe; to be called when the process has ended.
    void drain();

private:
    Child(boost::asio::io_context& io, int pid, int output, std::function<void(const std::string&)> on_line);
    void read_more();
    void take_lines(std::size_t got);

    int pid_;
    boost::asio::posix::stream_descriptor output_;
    std::function<void(const std::string&)> on_line_;
    std::string buffer_;
    std::string partial_;
    std::deque<std::string> last_lines_;
};

}  // namespace evaljob
