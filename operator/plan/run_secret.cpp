#include "operator/plan/run_secret.hpp"

#include <utility>

#include "api/base64.hpp"
#include "api/digest.hpp"
#include "api/json.hpp"
#include "api/json_read.hpp"
#include "api/names.hpp"
#include "api/run_spec.hpp"
#include "operator/plan/metadata.hpp"

namespace evaljob {
namespace {

/// For every user of the container: it may run as any, and no other container mounts the volume.
constexpr int file_mode = 0444;

void append(Json& parent, const char* list, Json item) {
    Json all = member(parent, list).is_array() ? parent[list] : Json::array();
    all.push_back(std::move(item));
    parent[list] = std::move(all);
}

}  // namespace

std::string spec_sha256(const EvalJob& job) { return sha256_hex(run_spec::text(job.spec)); }

bool has_run_secret(const EvalJob& job) {
    return names::is_run_secret(job.status.run_secret, job.meta.uid, spec_sha256(job));
}

Json run_secret(const EvalJob& job, const std::string& token) {
    const std::string spec = run_spec::text(job.spec);
    const std::string name = names::run_secret(job.meta.uid, sha256_hex(spec), sha256_hex(token + spec));
    return {{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"type", "Opaque"},
            {"metadata", child_metadata(job, name)},
            {"immutable", true},
            {"data", {{run_spec::token_key, base64_encode(token)}, {run_spec::spec_key, base64_encode(spec)}}}};
}

void mount_run_secret(const EvalJob& job, RunFiles files, Json& pod_spec, Json& container) {
    Json secret = {{"secretName", job.status.run_secret}, {"defaultMode", file_mode}};
    if (files == RunFiles::Spec)
        secret["items"] = Json::array({{{"key", run_spec::spec_key}, {"path", run_spec::spec_key}}});
    append(pod_spec, "volumes", {{"name", run_spec::volume}, {"secret", std::move(secret)}});
    append(container, "volumeMounts",
           {{"name", run_spec::volume}, {"mountPath", run_spec::mount_path}, {"readOnly", true}});
}

}  // namespace evaljob
