// An evaluation of Fashion-MNIST that a test runs with the real programs, in a folder of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "tests/e2e/program.hpp"

namespace evaljob::e2e {

struct Shape {
    int nodes = 4;
    int procs = 2;
    int limit = 3000;  // samples
    int batch = 16;
    std::string device = "CPU";
    std::string schedule = "Dynamic";
    std::vector<std::string> command = {};  // of container runner; empty: the operator's own
};

Json evaljob_object(const Shape& shape);

/// A PNG file of 56 x 56 pixels as base64: the picture of the vision-language example's first question.
std::string picture();

/// Of JSON lines.
std::vector<Json> lines_of(const std::string& text);

class Evaluation {
public:
    explicit Evaluation(const std::string& name);
    ~Evaluation();  // removes the folder, unless a test has failed

    /// Writes the EvalJob file and starts `evaljob run`. May be called again: the same command once more.
    std::unique_ptr<Program> start(const Shape& shape, const std::map<std::string, std::string>& environment = {});

    /// The same with this text as the EvalJob file.
    std::unique_ptr<Program> start_text(const std::string& text,
                                        const std::map<std::string, std::string>& environment = {});

    /// `evaljob run -f FILE` with further arguments.
    std::unique_ptr<Program> run(const std::string& file, const std::vector<std::string>& arguments = {},
                                 const std::map<std::string, std::string>& environment = {});

    std::string file() const { return folder_ + "/evaljob.json"; }
    const std::string& folder() const { return folder_; }
    std::string output() const { return folder_ + "/output"; }
    std::string console() const { return read_text(folder_ + "/console"); }

    /// Where CURRENT points to; empty when nothing is published.
    std::string result_folder() const;

    /// results.jsonl, metrics.json and both CSV files of the published result, by name; empty when there is none.
    std::map<std::string, std::string> published() const;

    /// Bytes in all shard logs: how far the evaluation is.
    std::uint64_t shard_bytes() const;

    /// Records in all shard logs, those of one sample twice included.
    std::uint64_t records() const;

    /// Batches that were leased, over all coordinators of this folder, by the coordinators' logs; and how many there
    /// are.
    struct Leases {
        std::uint64_t leased = 0;
        std::uint64_t batches = 0;
        std::uint64_t again() const { return leased - batches; }
    };
    Leases leases() const;

    /// The value of this variable marks every process of the evaluation.
    static constexpr const char* marker = "EVALJOB_E2E_MARKER";
    std::string marker_value() const { return folder_; }

private:
    std::string folder_;
};

/// Kills one of the program's processes, chosen by chance, when so many records are there and each time that so many
/// more are, until the evaluation has ended. How many it has killed.
struct Kills {
    std::uint64_t first = 20;
    std::uint64_t every = 60;
    int most = 100;
};
int kill_some(const Evaluation& evaluation, Program& program, const Kills& kills, std::mt19937& random,
              const std::function<bool(const ProcessView&)>& is_victim);

/// What this EvalJob publishes while its ranks are killed so; one at least is.
std::map<std::string, std::string> published_though_ranks_die(const Json& evaljob, const Kills& kills);

/// What an undisturbed evaluation of this shape gives; made once per test program.
struct Undisturbed {
    std::map<std::string, std::string> published;
    std::uint64_t shard_bytes = 0;
};
const Undisturbed& undisturbed(const Shape& shape);

}  // namespace evaljob::e2e
