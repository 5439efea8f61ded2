#include "cli/explain_command.hpp"

#include <iostream>

#include "api/digest.hpp"
#include "api/expansion.hpp"
#include "api/json.hpp"
#include "api/names.hpp"
#include "api/printable_lines.hpp"
#include "api/run_spec.hpp"
#include "api/yaml.hpp"
#include "cli/exit_status.hpp"
#include "operator/plan/plan.hpp"
#include "operator/plan/storage.hpp"

namespace evaljob {

namespace {

/// As the container sees it, beside those in front of it.
std::string value_of(const Json& variable, const Environment& so_far) {
    if (variable.contains("value")) return expand(variable["value"].get<std::string>(), so_far);
    return "(from " + variable.value("valueFrom", Json::object()).dump() + ")";
}

void print_spec(const EvalJob& job) {
    const std::string spec = run_spec::text(job.spec);
    std::cout << "# in every node's container runner, from the run's Secret: " << run_spec::mount_path << "/"
              << run_spec::token_key << ", and " << run_spec::mount_path << "/" << run_spec::spec_key << " ("
              << spec.size() << " bytes):\n# " << spec << "\n";
}

void print_environment(const Json& pod) {
    for (const Json& container : pod["spec"]["containers"]) {
        if (container["name"] != names::runner_container) continue;
        std::cout << "# " << pod["metadata"]["name"].get<std::string>() << "\n";
        Environment so_far;
        for (const Json& variable : container["env"]) {
            const auto name = variable["name"].get<std::string>();
            const std::string value = value_of(variable, so_far);
            if (variable.contains("value")) so_far[name] = value;
            std::cout << name << "=" << value << "\n";
        }
    }
}

}  // namespace

int explain_command(const ExplainCommand& command) {
    auto file = read_job_file(command.file, command.overrides);
    if (!file) {
        std::cerr << printable_lines(file.error().message) << std::endl;
        return cli_exit::usage;
    }
    EvalJob& job = file->job;
    job.meta.uid = "00000000-0000-0000-0000-000000000000";  // the API server gives the real one
    const std::string digest = sha256_hex(run_spec::text(job.spec));
    job.status.run_secret = names::run_secret(job.meta.uid, digest, std::string(32, '0'));  // a random token decides
    if (job.spec.eval) job.status.identity = std::string(64, '0');                          // node 0 says it
    Settings settings;
    if (claim_of(job).empty()) {  // as local mode would make them
        settings.storage_mount_path = file->storage_root;
        settings.in_cluster = false;
    }
    if (!command.environment_only) {
        if (job.spec.storage.claim_template) std::cout << to_yaml(claim_object(job)) << "---\n";
        std::cout << to_yaml(headless_service(job));
    }
    for (std::int32_t node = 0; node < job.spec.num_nodes; ++node) {
        const Json pod = node_pod(job, settings, node, 0);
        if (command.environment_only) {
            print_environment(pod);
        } else {
            std::cout << "---\n" << to_yaml(pod);
        }
    }
    if (command.environment_only && job.spec.eval) print_spec(job);
    if (!command.environment_only) std::cout << "---\n" << to_yaml(merge_job(job, settings));
    return cli_exit::success;
}

}  // namespace evaljob
