// report.html: what happened, for a person who knows nothing of the run. Pure: values in, one self-contained page out,
// without scripts and without anything from elsewhere. The page is report.html.mustache with report.css inside.
#pragma once

#include <string>
#include <vector>

#include "api/manifest.hpp"
#include "evaljob-runner/merge/answers.hpp"
#include "evaljob-runner/merge/image_records.hpp"
#include "evaljob-runner/merge/metrics.hpp"
#include "evaljob-runner/merge/proof.hpp"
#include "evaljob-runner/merge/timeline.hpp"

namespace evaljob {

struct ReportInput {
    const Manifest& manifest;
    const Proof& proof;
    const std::vector<DatasetScores>& scores;
    const std::vector<ShardTrace>& shards;
    std::string job_name;  // empty: the page is titled by its datasets
    std::string identity;
    std::string digest;               // of the published files
    std::vector<std::string> faults;  // what was overlooked because partial results are allowed; empty: nothing
    std::vector<OutputFile> files;    // of an image of the user's own, instead of shards
    bool completeness_unknown = false;
    std::vector<DatasetAnswers> answers = {};
};

std::string render_report(const ReportInput& input);

}  // namespace evaljob
