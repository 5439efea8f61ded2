#include "api/evaljob.hpp"

#include "api/evaljob_read.hpp"

namespace evaljob {

Result<EvalJob> parse_evaljob(const Json& object) {
    try {
        EvalJob job;
        job.meta = read_metadata(object.value("metadata", Json::object()));
        job.spec = read_spec(object.value("spec", Json::object()), job.meta.name);
        job.status = read_status(object.value("status", Json()));
        return job;
    } catch (const Json::exception& failure) {
        return fail("InvalidField", failure.what());
    }
}

Result<Eval> parse_eval(const Json& object, const std::string& path) {
    try {
        return read_eval(object);
    } catch (const Json::exception& failure) {
        return fail("InvalidField", path + ": " + failure.what());
    }
}

}  // namespace evaljob
