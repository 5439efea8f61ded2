#include "operator/plan/metadata.hpp"

#include "api/json.hpp"
#include "api/names.hpp"

namespace evaljob {

Json owner_reference(const EvalJob& job) {
    return {{"apiVersion", api_version}, {"kind", kind},       {"name", job.meta.name},
            {"uid", job.meta.uid},       {"controller", true}, {"blockOwnerDeletion", true}};
}

Json child_labels(const EvalJob& job, const char* role) {
    return {{names::label_job, job.meta.name}, {names::label_job_uid, job.meta.uid}, {names::label_role, role}};
}

Json child_metadata(const EvalJob& job, const std::string& name) {
    return {{"name", name},
            {"namespace", job.meta.ns},
            {"labels", {{names::label_job, job.meta.name}, {names::label_job_uid, job.meta.uid}}},
            {"ownerReferences", Json::array({owner_reference(job)})}};
}

}  // namespace evaljob
