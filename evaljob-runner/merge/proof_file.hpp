// proof.json: what the merge found on the volume, history included. It stands beside the result and is not part of its
// digest, because two runs with different deaths leave different histories of the same result. Pure.
#pragma once

#include <string>
#include <vector>

#include "evaljob-runner/merge/image_records.hpp"
#include "evaljob-runner/merge/proof.hpp"
#include "evaljob-runner/merge/timeline.hpp"

namespace evaljob {

struct ProofFileInput {
    const std::string& identity;
    const Proof& proof;
    const std::vector<ShardTrace>& shards;
    const std::vector<std::string>& faults;
    const std::vector<OutputFile>* files = nullptr;  // of an image of the user's own, instead of shards
    bool completeness_unknown = false;               // then there is no list of missing
};

std::string proof_json(const ProofFileInput& input);

}  // namespace evaljob
