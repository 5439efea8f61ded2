#include "evaljob-runner/merge/merge_main.hpp"

#include <fcntl.h>

#include <cerrno>
#include <iostream>
#include <limits>
#include <string_view>
#include <utility>

#include "api/answer_words.hpp"
#include "api/exit_code.hpp"
#include "api/json.hpp"
#include "api/json_text.hpp"
#include "api/merge_report.hpp"
#include "api/printable.hpp"
#include "api/runner_environment.hpp"
#include "evaljob-runner/launch/run_files.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

tl::unexpected<Error> invalid(const std::string& what) {
    return fail("InvalidField", std::string(runner_environment::merge) + what);
}

/// An image of the user's own: {"attempt": 1, "nodes": 2}.
Result<ImageOutput> read_image(const Environment& environment, const Json& object) {
    ImageOutput image;
    image.run_id = value_of(environment, "EVALJOB_RUN_ID");
    image.storage_root = value_of(environment, runner_environment::storage_root);
    if (image.run_id.empty()) return fail("InvalidField", "EVALJOB_RUN_ID is not set: it names the run to merge");
    for (const auto& [key, into] : {std::pair("attempt", &image.attempt), std::pair("nodes", &image.nodes)}) {
        const std::int64_t least = key == std::string_view("nodes") ? 1 : 0;
        const Json value = object.is_object() ? object.value(key, Json()) : Json();
        if (!value.is_number_integer() || value < least || value > std::numeric_limits<std::int32_t>::max())
            return invalid(std::string(".image.") + key + ": must be an integer of at least " + std::to_string(least));
        *into = value.get<std::int32_t>();
    }
    return image;
}

/// What the images' output has to hold, where the EvalJob says it.
Result<void> read_expectation(const Environment& environment, ImageOutput& image) {
    const auto spec = read_run_spec(environment);
    if (!spec) return tl::unexpected(spec.error());
    const Json object = parse_json(*spec);
    if (object.is_null()) return {};
    auto expect = parse_expect(object, "spec.merge.expect");
    if (!expect) return tl::unexpected(expect.error());
    image.expect = std::move(*expect);
    return {};
}

/// What our own runner's output has to be, and by which programs it is scored.
Result<void> read_evaluation(const Environment& environment, MergeOptions& options) {
    const auto eval = read_run_eval(environment);
    if (!eval) return tl::unexpected(eval.error());
    for (const Dataset& dataset : eval->datasets)
        if (dataset.task.scorer) options.scoring.scorers.emplace(dataset.name, *dataset.task.scorer);
    options.identity = value_of(environment, runner_environment::identity);
    if (options.identity.empty())
        return fail("ContractViolated", std::string(runner_environment::identity) +
                                            " is not set: it names the evaluation whose results are to be proved; the "
                                            "operator sets it");
    return {};
}

/// A merge that someone starts by hand has no spec: it proves whatever lies in the folder, without scorers.
Result<void> read_spec(const Environment& environment, MergeOptions& options) {
    if (value_of(environment, runner_environment::spec_sha256).empty()) return {};
    return options.image ? read_expectation(environment, *options.image) : read_evaluation(environment, options);
}

Result<MergeOptions> read_options(const Environment& environment) {
    MergeOptions options;
    options.shared_dir = value_of(environment, "EVALJOB_SHARED_DIR");
    if (options.shared_dir.empty())
        return fail("InvalidField", "EVALJOB_SHARED_DIR is not set: it names the folder of the run to merge");
    options.job_name = value_of(environment, "EVALJOB_NAME");
    options.scoring.storage_root = value_of(environment, runner_environment::storage_root);
    options.scoring.environment = environment;
    std::string text = value_of(environment, runner_environment::merge, "{}");
    Json merge = Json::parse(text, nullptr, false);
    if (!merge.is_object()) return fail("InvalidField", std::string(runner_environment::merge) + ": is no JSON object");
    for (const auto& [key, value] : merge.items()) {
        std::string field = std::string(runner_environment::merge) + "." + key;
        if (key == "allowPartial" && value.is_boolean()) {
            options.allow_partial = value.get<bool>();
        } else if (key == "maxFailedSamples" && value.is_number_integer() && value.get<std::int64_t>() >= 0) {
            options.max_failed_samples = value.get<std::int64_t>();
        } else if (key == "allowPartial" || key == "maxFailedSamples") {
            return fail("InvalidField",
                        field + ": must be " + (key == "allowPartial" ? "a boolean" : "an integer of at least 0"));
        } else if (key != "image") {
            return fail("InvalidField", field + ": unknown field");
        } else {
            auto image = read_image(environment, value);
            if (!image) return tl::unexpected(image.error());
            options.image = std::move(*image);
        }
    }
    if (auto read = read_spec(environment, options); !read) return tl::unexpected(read.error());
    return options;
}

/// In place: Kubernetes mounts this very file into the container, so that nothing can be renamed over it.
void leave_message(const Environment& environment, const MergeReport& report) {
    std::string path = value_of(environment, runner_environment::termination_log, "/dev/termination-log");
    FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    Result<void> written = file ? write_all(file.get(), encode_merge_report(report), path) : write_failure(path, errno);
    if (!written) std::cerr << "merge: the termination message is lost: " << written.error().message << "\n";
}

/// "91.34 % (95 % interval 90.77 to 91.88 %), 9134 of 10000 samples"; "0.6123 (…), 300 samples" of a mean.
std::string score_text(const Score& score) {
    const auto number = [&](double value) {
        return score.mean ? rounded(metric_value(value), 4) : percent_of(metric_value(value), 2);
    };
    const std::string unit = score.mean ? "" : " %";
    std::string text = number(score.value()) + unit;
    if (const auto interval = score.interval())
        text += " (95 % interval " + number(interval->low) + " to " + number(interval->high) + unit + ")";
    if (!score.mean) text += ", " + std::to_string(score.share.successes) + " of";
    return text + (score.mean ? ", " : " ") + std::to_string(score.samples()) + " samples";
}

void print_summary(const MergeOutcome& outcome, const std::string& shared) {
    const MergeReport& report = outcome.report;
    for (const ScoreLine& line : outcome.scores)
        std::cout << printable(line.dataset + ": " + line.score.name) << " " << score_text(line.score) << "\n";
    std::cout << report.samples << " samples: "
              << (report.missing ? std::to_string(*report.missing) + " missing" : std::string("CompletenessUnknown"))
              << ", " << report.conflicting << " conflicting, " << report.failed << " failed, " << report.foreign
              << " foreign; " << report.repeated << " found more than once and counted once\n";
    if (const std::string words = answer_words(report.answers); !words.empty())
        std::cout << "of the answers: " << words << "\n";
    if (report.partial) std::cout << "PARTIAL: samples are missing or failed; see report.html\n";
    const std::string folder = printable(shared + "/" + report.path);
    std::cout << "results: " << folder << "\n"
              << "report:  " << folder << "/report.html\n";
}

}  // namespace

int merge_main(const Environment& environment) {
    auto options = read_options(environment);
    MergeOutcome outcome;
    if (options) {
        outcome = run_merge(*options);
    } else {
        const bool violated = options.error().reason == "ContractViolated";
        outcome.exit_code = violated ? exit_code::contract : exit_code::usage;
        outcome.report.error = options.error().message;
    }
    outcome.report.error = printable(outcome.report.error);  // it holds ids, and what a model or a server has said
    if (!outcome.note.empty()) std::cerr << "merge: " << outcome.note << "\n";
    if (outcome.exit_code == exit_code::success)
        print_summary(outcome, options->shared_dir);
    else
        std::cerr << "merge: nothing was published: " << printable(outcome.report.error) << "\n";
    leave_message(environment, outcome.report);
    return outcome.exit_code;
}

}  // namespace evaljob
