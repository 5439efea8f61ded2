// What node 0 has evaluated, by its own word: the digest of the manifest that it has frozen. The merge proves that and
// nothing else, so no merge begins before it is known. Pure.
#pragma once

#include <string>

#include "operator/plan/restarts.hpp"

namespace evaljob {

/// Node 0's last words count most, then its report of progress, then what status keeps. Empty: not known, or a job
/// without eval, whose images have no manifest.
std::string known_identity(const Observed& observed);

/// With eval: node 0 has not said yet what it evaluates.
bool is_identity_unknown(const Observed& observed);

/// Node 0 is done, or would be, and has not said what it evaluated: it is run once more, which costs no more than a
/// look at the volume. Why that does not help: two runners have ended so.
std::optional<Failure> silent_for_good(const Observed& observed);

}  // namespace evaljob
