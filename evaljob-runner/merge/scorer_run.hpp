// The programs that score predictions, one after the other, a dataset's predictions each.
#pragma once

#include <map>
#include <string>

#include "api/contract.hpp"
#include "api/evaljob.hpp"
#include "evaljob-runner/merge/grading.hpp"
#include "evaljob-runner/merge/proof.hpp"

namespace evaljob {

struct ScorerSettings {
    std::map<std::string, Scorer> scorers;  // by the dataset's name
    std::string storage_root;               // what relative paths are relative to
    Environment environment;                // of the programs
};

/// Has every prediction of these datasets scored. Fails with BadInput when a program cannot be run, and with
/// ScorerFailed, naming the sample, when one has failed on it too often.
Result<ScorerResults> run_scorers(const ScorerSettings& settings, const Manifest& manifest, const Proof& proof);

}  // namespace evaljob
