// A program that a rank speaks with, line by line, over its standard streams. Nothing that it starts outlives it, and
// it does not outlive its rank, however either ends. Its standard error is the rank's own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/contract.hpp"
#include "api/result.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

struct ProgramStart {
    std::vector<std::string> command;                       // the first one is looked up on PATH, unless it has a slash
    std::string folder;                                     // to start in
    Environment environment;                                // all of it
    std::size_t max_line = 0;                               // bytes
    std::string command_field = "spec.eval.model.command";  // the fields that these come from, for messages
    std::string folder_field = "spec.eval.model.path";
};

/// Thread rule: the thread that started it, which must not end before it.
class Program {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// Fails with BadInput when the program cannot be run, with StartFailed when there is no process to be had.
    static Result<std::unique_ptr<Program>> start(const ProgramStart& start);
    ~Program();  // end(), with a moment for it to end by itself
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Puts text behind what is still to be written; wait() writes it, as the program takes it.
    void say(std::string_view text);

    enum class Event {
        Line,     // `line` is the next one, without its end
        Closed,   // it has ended, or closed its standard output
        TooLong,  // a line is longer than max_line
        Late      // it is `until`
    };
    Event wait(std::string& line, Time until);

    /// Closes its standard input; if it has not ended after `grace`, kills it. What it has started ends with it. How it
    /// ended: "it exited with 1".
    std::string end(std::chrono::milliseconds grace);

private:
    Program(int keeper, FileDescriptor to, FileDescriptor from, std::size_t max_line);
    bool take_line(std::string& line);
    void write_some();

    int keeper_;
    FileDescriptor to_;
    FileDescriptor from_;
    std::size_t max_line_;
    std::string saying_;
    std::size_t said_ = 0;  // bytes of saying_ that it has taken
    std::string heard_;
    std::size_t searched_ = 0;  // bytes of heard_ without the end of a line
    std::string ended_;         // end()'s answer
};

}  // namespace evaljob
