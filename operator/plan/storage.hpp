// The claim that the nodes write to: found, to be made, to be waited for, or why the job cannot use it. Pure.
#pragma once

#include <string>

#include "operator/plan/rules.hpp"

namespace evaljob {

/// The claim's name; empty: the job names none.
std::string claim_of(const EvalJob& job);

/// Whether the node mounts the claim.
bool mounts_claim(const EvalJob& job, std::int32_t node);

/// The claim as it is made from claimTemplate.
Json claim_object(const EvalJob& job);

/// Whether the claim is to be read before the Pods that are missing are made: for the first Pod of all, and for the
/// first beside node 0, since only several writers need ReadWriteMany. Later the claim is mounted, and cannot change.
bool is_claim_unproven(const Observed& observed);

struct ClaimVerdict {
    enum class Kind { Good, ToBeMade, Awaited, Refused };
    Kind kind = Kind::Good;
    Failure why;  // of Awaited and Refused
};

/// By observed.claim, which has been read.
ClaimVerdict judge_claim(const Observed& observed);

}  // namespace evaljob
