// The bytes of the published files, all but report.html. Pure. They hold no times, ranks or run ids, so that they are
// the same for any number of ranks and any history of failures. docs/results.md describes them field by field.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/manifest.hpp"
#include "evaljob-runner/merge/answers.hpp"
#include "evaljob-runner/merge/grading.hpp"
#include "evaljob-runner/merge/metrics.hpp"
#include "evaljob-runner/merge/proof.hpp"

namespace evaljob {

/// Makes the lines of results.jsonl and results.csv, one item at a time; both grow `out`, whose owner writes it away.
class ResultLines {
public:
    enum class Kind {
        Runner,
        Image,     // of an image of the user's own: with `fields`, whatever else its lines held
        Unscored,  // the same, when nothing says what was right: without dataset, target, group and accuracy
    };

    /// Manifest, proof and `scored` must outlive this.
    ResultLines(const Manifest& manifest, const Proof& proof, Kind kind = Kind::Runner,
                const ScorerResults& scored = {});

    std::string csv_header() const;
    void append_json(std::string& out, std::uint64_t item) const;
    void append_csv(std::string& out, std::uint64_t item) const;

private:
    const Manifest& manifest_;
    const Proof& proof_;
    Kind kind_;
    void append_grades(std::string& out, const ManifestSample& sample, const Outcome& outcome,
                       std::uint64_t item) const;
    std::vector<Grading> gradings_;          // by dataset
    std::vector<std::string> metrics_;       // of all datasets: the columns
    std::vector<std::string> dataset_json_;  // names, quoted once
    std::vector<std::string> dataset_csv_;
};

struct MetricsInput {
    const Manifest& manifest;
    const std::string& identity;
    const Proof& proof;
    const std::vector<DatasetScores>& scores;
    bool partial = false;
    bool completeness_unknown = false;  // then there is no count of missing, and no score
    Json scorers = nullptr;             // by what programs was scored, by dataset; null: none
    std::vector<DatasetAnswers> answers = {};
};

/// metrics.json: identity, what was evaluated, counts, every score with its interval.
std::string metrics_json(const MetricsInput& input);

/// confusion.csv: dataset, target, prediction, count; pairs that never occurred are left out. Of Classification alone.
std::string confusion_csv(const Manifest& manifest, const std::vector<DatasetScores>& scores);

/// One CSV cell of text: quoted as RFC 4180 has it, and never read as a formula by a spreadsheet, whatever white space
/// stands in front and however wide its characters are.
std::string csv_text(std::string_view text);

/// The name of a column of the confusion matrix, "(failed)" and "(no class)" included.
std::string column_label(const std::vector<std::string>& classes, std::int64_t column);

}  // namespace evaljob
