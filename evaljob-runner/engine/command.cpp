#include "evaljob-runner/engine/command.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "api/runner_environment.hpp"
#include "evaljob-runner/engine/command_protocol.hpp"
#include "evaljob-runner/engine/halving.hpp"
#include "evaljob-runner/engine/program.hpp"
#include "evaljob-runner/engine/stop_texts.hpp"
#include "evaljob-runner/launch/rank_counters.hpp"

namespace evaljob {

namespace {

using Clock = std::chrono::steady_clock;

// A program may die for reasons of its own: a batch is given to it as a whole once more before its samples are told
// apart, and a sample that is alone counts as failed only after so many deaths.
constexpr int tries_whole = 2;
constexpr int tries_alone = 3;
constexpr int tries_to_start = 3;
// One that has closed its output is about to end by itself, and how it ends tells why.
constexpr std::chrono::milliseconds last_moments{1'000};
// So many samples failed that way, and never an answer: it is the program.
constexpr int hopeless_after = 4;

class CommandEngine : public Engine {
public:
    CommandEngine(ProgramStart start, std::string storage_root, const Inference& inference)
        : start_(std::move(start)),
          storage_root_(std::move(storage_root)),
          startup_(inference.startup_timeout_seconds.value_or(default_timeout_seconds)),
          patience_(inference.sample_timeout_seconds.value_or(default_timeout_seconds)) {}

    /// Once the program is ready; tries again when it has been ready before.
    Result<void> start_program() {
        for (int tries = library_.empty() ? 1 : tries_to_start;; --tries) {
            auto program = Program::start(start_);
            if (!program) return tl::unexpected(program.error());
            program_ = std::move(*program);
            bool late = false;
            const std::string why = wait_until_ready(late);
            if (why.empty()) return {};
            program_->end(std::chrono::milliseconds(0));
            program_.reset();
            const std::string message = "spec.eval.model.command: " + start_.command.front() + ": " + why;
            if (late) return fail("NotReady", message);
            if (tries <= 1) return fail("ProgramFailed", message, true);
        }
    }

    void begin(EngineBatch batch) override { batch_ = std::move(batch); }

    Result<EngineAnswer> next() override {
        predictions_.assign(batch_.requests.size(), Prediction{});
        Halving halving(batch_.requests.size(), {tries_whole, tries_alone});
        while (!halving.done()) {
            if (!program_)
                if (auto started = start_program(); !started) return tl::unexpected(started.error());
            const auto [unanswered, why] = evaluate(halving.group());
            if (unanswered.empty()) {
                halving.succeeded();
                continue;
            }
            spdlog::warn("the program left {} of {} samples without an answer: {}", unanswered.size(),
                         halving.group().size(), why);
            if (const auto lost = halving.failed(unanswered))
                if (auto given_up = give_up(*lost, why); !given_up) return tl::unexpected(given_up.error());
        }
        return EngineAnswer{batch_.ticket, std::move(predictions_), halving.parts(), ""};
    }

    std::string library() const override { return library_; }
    std::string device() const override { return "of the program"; }

private:
    /// Empty once it is, else why not; `late`: it was waited for as long as it may be.
    std::string wait_until_ready(bool& late) {
        const auto until = Clock::now() + startup_;
        for (std::string line;;) {
            switch (program_->wait(line, until)) {
                case Program::Event::Line:
                    if (const auto said = read_program_line(line); const auto* ready = std::get_if<Ready>(&said)) {
                        library_ = ready->library.empty() ? start_.command.front() : ready->library;
                        return "";
                    }
                    pass_over(line);
                    break;
                case Program::Event::Closed:
                    return program_->end(last_moments) + " before it said {\"ready\": true}; its last lines tell why";
                case Program::Event::TooLong:
                    return "it wrote a line of more than " + std::to_string(max_answer_bytes) + " bytes";
                case Program::Event::Late:
                    late = true;
                    return "it did not say {\"ready\": true} on its standard output within " +
                           std::to_string(startup_.count()) +
                           " s; docs/runner.md shows how, spec.eval.inference.startupTimeoutSeconds is for longer";
            }
        }
    }

    /// Where its file lies, for a program that may have been started in another folder.
    std::string folder_of(const Dataset& dataset) const {
        std::error_code error;
        const auto file = std::filesystem::absolute(resolve_path(storage_root_, dataset.path), error);
        return file.parent_path().string();
    }

    struct Unanswered {
        std::vector<std::size_t> members;
        std::string why;
    };

    /// Gives the program these samples and takes its answers. When some stay without one, the program is gone.
    Unanswered evaluate(const std::vector<std::size_t>& members) {
        std::vector<std::size_t> open = members;
        const std::uint64_t first = next_request_;
        const std::string folder = folder_of(*batch_.dataset);
        for (const std::size_t member : members)
            program_->say(request_line(first + member, batch_.requests[member], *batch_.dataset, folder));
        next_request_ += batch_.requests.size();
        auto until = Clock::now() + patience_;
        std::string why;
        for (std::string line; !open.empty();) {
            const auto event = program_->wait(line, until);
            if (event == Program::Event::Line) {
                if (take(line, first, open)) until = Clock::now() + patience_;
                continue;
            }
            if (event == Program::Event::Late)
                why = "it gave no answer for " + std::to_string(patience_.count()) + " s";
            if (event == Program::Event::TooLong)
                why = "its answer was longer than " + std::to_string(max_answer_bytes) + " bytes";
            if (event == Program::Event::Closed) why = program_->end(last_moments);
            program_->end(std::chrono::milliseconds(0));
            program_.reset();
            break;
        }
        return {std::move(open), std::move(why)};
    }

    /// True when the line answers one of the open ones.
    bool take(const std::string& line, std::uint64_t first, std::vector<std::size_t>& open) {
        auto said = read_program_line(line);
        auto* answer = std::get_if<Answer>(&said);
        if (answer == nullptr) return pass_over(line);
        const auto found = std::find(open.begin(), open.end(), answer->request - first);
        if (found == open.end()) return pass_over(line);
        predictions_[*found] = std::move(answer->prediction);
        cut_at_stop(predictions_[*found], {batch_.dataset->task.stop});
        open.erase(found);
        answered_ = true;
        return true;
    }

    bool pass_over(const std::string& line) {
        if (noise_++ == 0)
            spdlog::warn(
                "the program's line is no answer to an open request and is passed over, as all others like it "
                "will be without a word: {}",
                Json(line.substr(0, 200)).dump(-1, ' ', false, Json::error_handler_t::replace));
        return false;
    }

    /// The sample is recorded as failed; an Error when it seems to be the program.
    Result<void> give_up(std::size_t sample, const std::string& why) {
        Prediction& prediction = predictions_[sample];
        prediction = {};
        prediction.error = "the program failed on it " + std::to_string(tries_alone) + " times: " + why;
        if (answered_ || ++failed_before_any_answer_ < hopeless_after) return {};
        return fail("ProgramFailed",
                    "spec.eval.model.command: " + start_.command.front() +
                        ": it has never given an answer, and failed on " + std::to_string(hopeless_after) +
                        " samples, each " + std::to_string(tries_alone) + " times alone; the last time " + why,
                    true);
    }

    ProgramStart start_;
    std::string storage_root_;
    std::chrono::seconds startup_;
    std::chrono::seconds patience_;
    std::string library_;  // empty: never was ready
    std::unique_ptr<Program> program_;
    EngineBatch batch_;
    std::vector<Prediction> predictions_;
    std::uint64_t next_request_ = 0;
    std::uint64_t noise_ = 0;
    bool answered_ = false;
    int failed_before_any_answer_ = 0;
};

}  // namespace

Environment program_environment(const Environment& rank, const DeviceChoice& device) {
    Environment environment = rank;
    environment.erase(runner_environment::run_folder);
    environment.erase(SharedCounters::variable);
    std::string shown;
    for (std::int32_t i = device.index; device.kind == "cuda" && i < device.index + device.count; ++i)
        if (const auto at = static_cast<std::size_t>(i); at < device.visible.size())
            shown += (shown.empty() ? "" : ",") + device.visible[at];
    environment["CUDA_VISIBLE_DEVICES"] = shown;
    return environment;
}

Result<std::unique_ptr<Engine>> start_command(const Eval& eval, const std::string& storage_root,
                                              const Environment& environment, const DeviceChoice& device) {
    ProgramStart start{eval.model.command, resolve_path(storage_root, eval.model.path),
                       program_environment(environment, device), max_answer_bytes};
    auto engine = std::make_unique<CommandEngine>(std::move(start), storage_root, eval.inference);
    if (auto started = engine->start_program(); !started) return tl::unexpected(started.error());
    return engine;
}

}  // namespace evaljob
