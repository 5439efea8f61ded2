#include "evaljob-runner/merge/merge.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/digest.hpp"
#include "api/exit_code.hpp"
#include "evaljob-runner/merge/failure_reasons.hpp"
#include "evaljob-runner/merge/findings.hpp"
#include "evaljob-runner/merge/labels.hpp"
#include "evaljob-runner/merge/proof_file.hpp"
#include "evaljob-runner/merge/publish.hpp"
#include "evaljob-runner/merge/report.hpp"
#include "evaljob-runner/merge/result_lines.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob {

namespace {

constexpr std::size_t block = std::size_t{64} << 10;
constexpr std::size_t worst_limit = 30;  // wrong answers that the report lists

Result<DecodedManifest> read_manifest(const std::string& shared) {
    auto bytes = read_file(layout::manifest(shared), layout::max_manifest_bytes);
    if (!bytes && bytes.error().reason == "NotFound")
        return fail("Unfinished", "manifest.jsonl is missing: no run has begun here, or its folder was moved");
    if (!bytes) return tl::unexpected(bytes.error());
    auto manifest = decode_manifest(*bytes);
    if (!manifest)
        return fail("Damaged", "manifest.jsonl: " + manifest.error().message + "; remove the folder to start afresh");
    return manifest;
}

/// Nothing when there is none and partial results are allowed.
Result<std::optional<DoneMarker>> read_marker(const std::string& shared, bool allow_partial) {
    auto bytes = read_file(layout::done_marker(shared), layout::max_done_marker_bytes);
    if (!bytes && bytes.error().reason != "NotFound") return tl::unexpected(bytes.error());
    if (!bytes && allow_partial) return std::optional<DoneMarker>();
    if (!bytes)
        return fail("Unfinished",
                    "done.json is missing: the run has not finished; run it again to resume it, or set "
                    "merge.allowPartial");
    auto marker = decode_done_marker(*bytes);
    if (!marker)
        return fail("Damaged", "done.json: " + marker.error().message + "; run the job again, which writes it anew");
    return std::optional<DoneMarker>(std::move(*marker));
}

std::string some_of(const Fault& fault) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(5, fault.ids.size()); ++i) text += (i ? ", " : "") + fault.ids[i];
    return fault.count > 5 ? text + ", …" : text;
}

/// With why they failed, for ids alone tell nobody what to mend.
std::string too_many_failed(const Findings& f, std::int64_t max_failed) {
    const Proof& proof = f.reading.proof;
    const std::string mend = f.is_image
                                 ? "Mend the cause and run the job again"
                                 : "Mend the cause and run the same command again: only what failed is asked again";
    return std::to_string(proof.failed.count) + " of " + std::to_string(proof.items) +
           " samples failed, merge.maxFailedSamples is " + std::to_string(max_failed) + ". " +
           words_of(failure_reasons(f.manifest, proof)) + ". " + mend +
           "; or raise merge.maxFailedSamples, and they count as wrong. They are: " + some_of(proof.failed);
}

/// A sentence for each reason why this is no whole result.
std::vector<std::string> faults_of(const Findings& f, std::int64_t max_failed) {
    const Proof& proof = f.reading.proof;
    std::vector<std::string> faults = f.reading.damaged;
    if (!faults.empty() && f.marker) faults.back() += "; run the job again: what is damaged is evaluated again";
    std::string of = " of " + std::to_string(proof.items) + " samples ";
    if (f.marker && f.marker->identity != f.identity)
        faults.push_back("done.json is of another evaluation (identity " + f.marker->identity +
                         ") than manifest.jsonl (" + f.identity + ")");
    if (f.marker && f.marker->items != proof.items)
        faults.push_back("done.json is of " + std::to_string(f.marker->items) + " samples, manifest.jsonl has " +
                         std::to_string(proof.items));
    for (const std::string& shard : proof.foreign_shards) faults.push_back(shard + " is a log of another evaluation");
    if (proof.foreign.count > 0)
        faults.push_back(std::to_string(proof.foreign.count) + " foreign records: " + some_of(proof.foreign));
    if (proof.missing.count > 0)
        faults.push_back(std::to_string(proof.missing.count) + of + "have no record: " + some_of(proof.missing));
    if (proof.failed.count > static_cast<std::uint64_t>(std::max<std::int64_t>(0, max_failed)))
        faults.push_back(too_many_failed(f, max_failed));
    return faults;
}

Result<Findings> find_in_shards(const MergeOptions& options) {
    Findings f;
    auto manifest = read_manifest(options.shared_dir);
    if (!manifest) return tl::unexpected(manifest.error());
    f.manifest = std::move(manifest->manifest);
    f.identity = std::move(manifest->identity);
    if (!options.identity.empty() && f.identity != options.identity)
        return fail("OtherIdentity",
                    options.shared_dir + " holds another evaluation (identity " + f.identity.substr(0, 12) +
                        ") than the one whose results this merge has to prove (" + options.identity.substr(0, 12) +
                        "): the folder was replaced, or another EvalJob writes to it. Give each "
                        "EvalJob a storage.path of its own, and run this one again");
    auto marker = read_marker(options.shared_dir, options.allow_partial);
    if (!marker) return tl::unexpected(marker.error());
    f.marker = std::move(*marker);
    auto reading = read_shards(options.shared_dir, f.manifest, f.identity, f.marker);
    if (!reading) return tl::unexpected(reading.error());
    f.reading = std::move(*reading);
    return f;
}

Result<Findings> find(const MergeOptions& options) {
    auto found = options.image ? find_in_image_output(options) : find_in_shards(options);
    if (!found) return found;
    found->faults = faults_of(*found, options.max_failed_samples);
    found->answers = answers_of(found->manifest, found->reading.proof);
    return found;
}

/// One file of lines, written block by block.
template <class Append>
Result<void> write_lines(Publication& publication, const std::string& name, std::string head, std::uint64_t items,
                         Append append) {
    if (auto opened = publication.open(name); !opened) return opened;
    std::string out = std::move(head);
    for (std::uint64_t item = 0; item < items; ++item) {
        append(out, item);
        if (out.size() < block) continue;
        if (auto written = publication.write(out); !written) return written;
        out.clear();
    }
    return publication.write(out);
}

Result<void> write_text(Publication& publication, const std::string& name, const std::string& text) {
    if (auto opened = publication.open(name); !opened) return opened;
    return publication.write(text);
}

ResultLines::Kind kind_of(const Findings& f) {
    if (!f.is_image) return ResultLines::Kind::Runner;
    return f.completeness_unknown ? ResultLines::Kind::Unscored : ResultLines::Kind::Image;
}

/// Without targets, or where answers are texts, there are no classes to take for each other.
bool has_confusion(const std::vector<DatasetScores>& scores) {
    return std::any_of(scores.begin(), scores.end(), [](const DatasetScores& s) { return s.has_confusion; });
}

/// As metrics.json tells it; a time-out decides no score.
Json scorers_json(const ScorerSettings& settings) {
    Json scorers;
    for (const auto& [dataset, scorer] : settings.scorers)
        scorers[dataset] = {{"command", scorer.command}, {"scores", scorer.scores}};
    return scorers;
}

Result<Published> publish(const MergeOptions& options, const Findings& f) {
    auto begun = Publication::begin(options.shared_dir);
    if (!begun) return tl::unexpected(begun.error());
    Publication& p = *begun;
    const Proof& proof = f.reading.proof;
    ResultLines lines(f.manifest, proof, kind_of(f), f.scored);
    auto json_line = [&](std::string& out, std::uint64_t item) { lines.append_json(out, item); };
    auto csv_line = [&](std::string& out, std::uint64_t item) { lines.append_csv(out, item); };
    const MetricsInput metrics{f.manifest,
                               f.identity,
                               proof,
                               f.scores,
                               !f.faults.empty(),
                               f.completeness_unknown,
                               scorers_json(options.scoring),
                               f.answers};
    auto sealed =
        write_lines(p, "results.jsonl", "", proof.items, json_line)
            .and_then([&] { return write_text(p, "metrics.json", metrics_json(metrics)); })
            .and_then([&] { return write_lines(p, "results.csv", lines.csv_header(), proof.items, csv_line); })
            .and_then([&] {
                if (!has_confusion(f.scores)) return Result<void>();
                return write_text(p, "confusion.csv", confusion_csv(f.manifest, f.scores));
            })
            .and_then([&] { return p.seal(); });
    if (!sealed) return tl::unexpected(sealed.error());
    const ProofFileInput history{
        f.identity, proof, f.reading.traces, f.faults, f.is_image ? &f.files : nullptr, f.completeness_unknown};
    const ReportInput input{f.manifest, proof,    f.scores, f.reading.traces,       options.job_name, f.identity,
                            *sealed,    f.faults, f.files,  f.completeness_unknown, f.answers};
    return write_text(p, "proof.json", proof_json(history))
        .and_then([&] { return write_text(p, "report.html", render_report(input)); })
        .and_then([&] { return p.publish(); });
}

MergeReport counts_of(const Findings& f) {
    const Proof& proof = f.reading.proof;
    MergeReport report;
    report.identity = f.identity;
    report.samples = static_cast<std::int64_t>(proof.items);
    report.missing = static_cast<std::int64_t>(proof.missing.count);
    if (f.completeness_unknown) report.missing = std::nullopt;
    report.repeated = static_cast<std::int64_t>(proof.repeated.count);
    report.conflicting = static_cast<std::int64_t>(proof.conflicting.count);
    report.failed = static_cast<std::int64_t>(proof.failed.count);
    report.foreign = static_cast<std::int64_t>(proof.foreign.count);
    report.answers = sum_of(f.answers);
    for (const Fault* fault : {&proof.missing, &proof.foreign, &proof.conflicting, &proof.failed})
        for (const std::string& id : fault->ids)
            if (report.ids.size() < max_named_ids) report.ids.push_back(id);
    return report;
}

Metric primary_metric(const Manifest& manifest, const Score& score) {
    const auto error = score.standard_error();
    return {dataset_name(manifest, score.dataset),
            score.name,
            "",
            metric_value(score.value()),
            error ? metric_value(*error) : "",
            static_cast<std::int64_t>(score.samples())};
}

std::string joined(const std::vector<std::string>& sentences) {
    std::string text;
    for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
    return text;
}

/// What another try cannot mend is a failed proof; a volume that refuses may recover.
MergeOutcome refused(MergeReport report, const Error& error) {
    int code = exit_code::storage;
    if (error.reason == "Unfinished" || error.reason == "Damaged" || error.reason == "TooLarge")
        code = exit_code::proof;
    if (error.reason == "OtherIdentity") code = exit_code::identity;
    if (error.reason == "NoSpace") code = exit_code::no_space;
    report.error = error.message;
    if (error.reason == "BadInput" || error.reason == "Unreadable") code = exit_code::bad_input;
    if (error.reason == "ScorerFailed") {
        code = exit_code::internal;
        report.ids.clear();  // of samples that the model failed on; the message names the one that matters
    }
    return {code, std::move(report), {}};
}

}  // namespace

MergeOutcome run_merge(const MergeOptions& options) {
    auto found = find(options);
    if (!found) return refused({}, found.error());
    Findings& f = *found;
    MergeReport report = counts_of(f);
    if (!f.faults.empty() && !options.allow_partial) {
        report.error = joined(f.faults);
        return {exit_code::proof, std::move(report), {}};
    }
    if (!f.completeness_unknown) {
        auto scored = run_scorers(options.scoring, f.manifest, f.reading.proof);
        if (!scored) return refused(std::move(report), scored.error());
        f.scored = std::move(*scored);
        f.scores = score(f.manifest, f.reading.proof, worst_limit, f.scored);
    }
    auto published = publish(options, f);
    if (!published) return refused(std::move(report), published.error());
    report.published = true;
    report.partial = !f.faults.empty();
    report.digest = published->digest;
    report.path = published->path;
    MergeOutcome outcome{exit_code::success, std::move(report), {}, published->note};
    for (const DatasetScores& dataset : f.scores) {
        outcome.report.metrics.push_back(primary_metric(f.manifest, dataset.metrics.front().all));
        for (const MetricScores& metric : dataset.metrics)
            outcome.scores.push_back({dataset_name(f.manifest, dataset.dataset), metric.all});
    }
    return outcome;
}

}  // namespace evaljob
