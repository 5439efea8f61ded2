#include "api/names.hpp"

#include <algorithm>

namespace evaljob::names {
namespace {

std::string run_secret_prefix(const std::string& uid, const std::string& spec_sha256) {
    return "evaljob-" + uid + "-" + spec_sha256.substr(0, 16) + "-";
}

}  // namespace

std::string service(const std::string& job) { return job; }

std::string hostname(const std::string& job, std::int32_t node) { return job + "-" + std::to_string(node); }

std::string pod(const std::string& job, std::int32_t node, std::int32_t attempt) {
    return hostname(job, node) + "-" + std::to_string(attempt);
}

std::string host_fqdn(const std::string& job, const std::string& ns, std::int32_t node) {
    return hostname(job, node) + "." + service(job) + "." + ns + ".svc";
}

std::string merge_job(const std::string& job) { return job + "-merge"; }

std::string claim(const std::string& job) { return job + "-claim"; }

std::string gang(const std::string& job) { return job; }

std::string queue_group(const std::string& job, std::int32_t attempt) { return job + "-" + std::to_string(attempt); }

std::string run_secret(const std::string& uid, const std::string& spec_sha256, const std::string& content_sha256) {
    return run_secret_prefix(uid, spec_sha256) + content_sha256.substr(0, 32);
}

bool is_run_secret(const std::string& name, const std::string& uid, const std::string& spec_sha256) {
    return name.starts_with(run_secret_prefix(uid, spec_sha256));
}

std::string run_id(const std::string& job, const std::string& uid) { return job + "-" + uid.substr(0, 8); }

std::string output_dir(const std::string& shared_dir, const std::string& run_id, std::int32_t node,
                       std::int32_t attempt) {
    return shared_dir + "/runs/" + run_id + "/node-" + std::to_string(node) + "/attempt-" + std::to_string(attempt);
}

std::string longest_pod(const std::string& job, std::int32_t nodes) {
    return pod(job, std::max(nodes - 1, 0), max_attempt);
}

std::size_t longest(const std::string& job, std::int32_t nodes) {
    return std::max({longest_pod(job, nodes).size(), merge_job(job).size(), claim(job).size()});
}

}  // namespace evaljob::names
