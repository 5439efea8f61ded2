// The run's Secret as files: the spec, and the token by which the run's processes know each other.
#pragma once

#include <string>

#include "api/contract.hpp"
#include "api/evaljob.hpp"
#include "api/result.hpp"

namespace evaljob {

/// The text of the spec, held against EVALJOB_SPEC_SHA256. Fails with ContractViolated, naming the file.
Result<std::string> read_run_spec(const Environment& environment);

/// The spec of a run with `eval`.
Result<Eval> read_run_eval(const Environment& environment);

Result<std::string> read_run_token(const Environment& environment);

}  // namespace evaljob
