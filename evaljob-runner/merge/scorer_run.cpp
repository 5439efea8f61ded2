#include "evaljob-runner/merge/scorer_run.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/program.hpp"
#include "evaljob-runner/merge/labels.hpp"
#include "evaljob-runner/merge/scorer_protocol.hpp"

namespace evaljob {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_open = 64;                            // requests without an answer
constexpr std::size_t most_open_bytes = std::size_t{32} << 20U;  // but always one
constexpr int tries = 3;                                         // of a sample that the program fails on alone
constexpr int most_restarts = 100;                               // of one program
// One that has closed its output is about to end by itself, and how it ends tells why.
constexpr std::chrono::milliseconds last_moments{1'000};

/// One dataset's predictions and the program that scores them.
class ScorerRun {
public:
    ScorerRun(const Scorer& scorer, const ScorerSettings& settings, std::uint32_t dataset, const Manifest& manifest,
              const Proof& proof)
        : scorer_(scorer),
          manifest_(manifest),
          proof_(proof),
          dataset_(dataset),
          name_(dataset_name(manifest, dataset)),
          patience_(scorer.timeout_seconds.value_or(default_timeout_seconds)),
          start_{scorer.command,
                 resolve_path(settings.storage_root, scorer.path),
                 settings.environment,
                 max_scorer_line_bytes,
                 "dataset " + name_ + ": task.scorer.command",
                 "dataset " + name_ + ": task.scorer.path"} {
        results_.names = scorer.scores;
    }

    Result<ScorerPoints> run() {
        find_items();
        for (;;) {
            if (auto asked = ask_more(); !asked) return tl::unexpected(asked.error());
            if (open_.empty()) break;
            if (auto heard = hear(); !heard) return tl::unexpected(heard.error());
        }
        return std::move(results_);
    }

private:
    bool is_asked(std::uint64_t item) const {
        return manifest_.samples[item / manifest_.repeats].dataset == dataset_ &&
               proof_.outcome(item).state == ItemState::Predicted;
    }

    /// Room for the points of all items from the first to the last that is asked.
    void find_items() {
        std::uint64_t end = 0;
        for (std::uint64_t item = 0; item < proof_.items; ++item) {
            if (!is_asked(item)) continue;
            if (end == 0) results_.first = item;
            end = item + 1;
        }
        next_ = results_.first;
        end_ = end;
        results_.points.resize((end - results_.first) * results_.names.size());
    }

    /// The next item that was not asked yet, or is to be asked again; nothing when there is none.
    std::optional<std::uint64_t> take_item() {
        if (!again_.empty()) {
            const std::uint64_t item = again_.front();
            again_.pop_front();
            return item;
        }
        while (next_ < end_ && !is_asked(next_)) ++next_;
        return next_ < end_ ? std::optional(next_++) : std::nullopt;
    }

    Result<void> ask_more() {
        if (open_.empty() && again_.empty()) one_by_one_ = false;
        while (open_.size() < (one_by_one_ ? 1 : most_open) && (open_.empty() || open_bytes_ < most_open_bytes)) {
            const auto item = take_item();
            if (!item) return {};
            if (!program_) {
                auto program = Program::start(start_);
                if (!program) return tl::unexpected(program.error());
                program_ = std::move(*program);
            }
            const std::string line = scorer_request(++requests_, name_, manifest_.samples[*item / manifest_.repeats],
                                                    *item % manifest_.repeats, proof_.outcome(*item).prediction);
            if (open_.empty()) until_ = Clock::now() + patience_;
            open_.emplace(requests_, Open{*item, line.size()});
            open_bytes_ += line.size();
            program_->say(line);
        }
        return {};
    }

    /// Waits for one line, or for the program's end.
    Result<void> hear() {
        std::string line;
        switch (program_->wait(line, until_)) {
            case Program::Event::Line:
                return take(line);
            case Program::Event::Closed:
                return died(program_->end(last_moments));
            case Program::Event::TooLong:
                return died("it wrote a line of more than " + std::to_string(max_scorer_line_bytes) + " bytes");
            case Program::Event::Late:
                return died("it gave no answer for " + std::to_string(patience_.count()) + " s" + last_noise());
        }
        return {};
    }

    Result<void> take(const std::string& line) {
        auto answer = read_scorer_answer(line, results_.names);
        const auto open = answer ? open_.find(answer->request) : open_.end();
        if (open == open_.end()) {
            pass_over(line);
            return {};
        }
        const std::uint64_t item = open->second.item;
        open_bytes_ -= open->second.bytes;
        open_.erase(open);
        until_ = Clock::now() + patience_;
        if (answer->error.empty()) {
            std::copy(
                answer->points.begin(), answer->points.end(),
                results_.points.begin() + static_cast<std::ptrdiff_t>((item - results_.first) * results_.names.size()));
            return {};
        }
        again_.push_back(item);
        return count_failure(item, answer->error);
    }

    /// What was open is asked again, one by one, so that it is seen which sample it was. Not by halves, as
    /// engine/halving has it for batches: those are kept as whole as can be, because what shares a batch may decide its
    /// numbers, and they end in failed samples, not in a failed merge. Here each sample stands for itself and few are
    /// open; a bad one among 64 costs 4 programs of the restarts that there are, by halves it would be 9.
    Result<void> died(const std::string& why) {
        program_->end(std::chrono::milliseconds(0));
        program_.reset();
        spdlog::warn("the scorer of dataset {} left {} samples without an answer: {}", name_, open_.size(), why);
        const std::uint64_t first = open_.begin()->second.item;
        const bool was_alone = open_.size() == 1;
        for (auto open = open_.rbegin(); open != open_.rend(); ++open) again_.push_front(open->second.item);
        open_.clear();
        open_bytes_ = 0;
        one_by_one_ = true;
        if (++restarts_ > most_restarts) return failed(first, std::to_string(restarts_) + " programs ended; " + why);
        return was_alone ? count_failure(first, why) : Result<void>();
    }

    Result<void> count_failure(std::uint64_t item, const std::string& why) {
        if (++failures_[item] < tries) return {};
        return failed(item, "it failed on it " + std::to_string(tries) + " times: " + why);
    }

    Result<void> failed(std::uint64_t item, const std::string& why) const {
        return fail("ScorerFailed",
                    "dataset " + name_ + ": task.scorer.command: " + scorer_.command.front() + ": sample " +
                        item_name(manifest_, item) + ": " + why +
                        "; mend the scorer and run the job again: what is evaluated stays, only the merge is repeated",
                    true);
    }

    void pass_over(const std::string& line) {
        noise_ = readable(line, 200);
        if (heard_noise_) return;
        heard_noise_ = true;
        spdlog::warn(
            "the scorer's line is no answer to an open request and is passed over, as all others like it will be "
            "without a word: {}",
            noise_);
    }

    std::string last_noise() const { return noise_.empty() ? "" : "; its last line that was none: " + noise_; }

    struct Open {
        std::uint64_t item;
        std::size_t bytes;
    };

    const Scorer& scorer_;
    const Manifest& manifest_;
    const Proof& proof_;
    std::uint32_t dataset_;
    std::string name_;
    std::chrono::seconds patience_;
    ProgramStart start_;
    ScorerPoints results_;
    std::unique_ptr<Program> program_;
    std::map<std::uint64_t, Open> open_;  // by request
    std::size_t open_bytes_ = 0;
    std::deque<std::uint64_t> again_;
    bool one_by_one_ = false;
    std::map<std::uint64_t, int> failures_;  // by item
    std::uint64_t next_ = 0;
    std::uint64_t end_ = 0;
    std::uint64_t requests_ = 0;
    int restarts_ = 0;
    Program::Time until_;
    std::string noise_;
    bool heard_noise_ = false;
};

}  // namespace

Result<ScorerResults> run_scorers(const ScorerSettings& settings, const Manifest& manifest, const Proof& proof) {
    ScorerResults results;
    for (std::uint32_t dataset = 0; !settings.scorers.empty() && dataset < dataset_count(manifest); ++dataset) {
        const auto scorer = settings.scorers.find(dataset_name(manifest, dataset));
        if (scorer == settings.scorers.end()) continue;
        auto points = ScorerRun(scorer->second, settings, dataset, manifest, proof).run();
        if (!points) return tl::unexpected(points.error());
        results.emplace(dataset, std::move(*points));
    }
    if (results.size() < settings.scorers.size())
        return fail("BadInput", "spec.eval: names a scorer for a dataset that manifest.jsonl has not");
    return results;
}

}  // namespace evaljob
