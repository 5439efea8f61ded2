// What every child carries: whose it is, in labels and in its owner reference. Pure.
#pragma once

#include <string>

#include "api/evaljob.hpp"

namespace evaljob {

Json owner_reference(const EvalJob& job);
Json child_labels(const EvalJob& job, const char* role);
Json child_metadata(const EvalJob& job, const std::string& name);

}  // namespace evaljob
