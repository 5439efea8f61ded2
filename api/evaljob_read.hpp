// JSON → EvalJob values, behind validation: these functions trust that the object keeps every rule of api/schema.hpp.
// What is absent keeps the default of its member, which a test holds equal to the schema's.
#pragma once

#include "api/evaljob.hpp"

namespace evaljob {

EvalJobSpec read_spec(const Json& spec, const std::string& job_name);
Eval read_eval(const Json& eval);
Dataset read_expect(const Json& expect);
Scorer read_scorer(const Json& scorer);

/// Lenient: only the operator writes status, and a member of an unknown type is as good as absent.
EvalJobStatus read_status(const Json& status);
ObjectMeta read_metadata(const Json& metadata);

}  // namespace evaljob
