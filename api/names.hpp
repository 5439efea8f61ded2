// Names of everything derived from an EvalJob. They are deterministic, so that a create that is repeated finds itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "api/evaljob.hpp"

namespace evaljob::names {

inline constexpr const char* label_job = "evaljob.dev/job";  // the EvalJob's name
inline constexpr const char* label_job_uid = "evaljob.dev/job-uid";
inline constexpr const char* label_role = "evaljob.dev/role";  // "node" or "merge"
inline constexpr const char* label_node_rank = "evaljob.dev/node-rank";
inline constexpr const char* label_attempt = "evaljob.dev/attempt";
inline constexpr const char* role_node = "node";
inline constexpr const char* role_merge = "merge";
inline constexpr const char* runner_container = "runner";

std::string service(const std::string& job);                                              // JOB
std::string hostname(const std::string& job, std::int32_t node);                          // JOB-NODE
std::string pod(const std::string& job, std::int32_t node, std::int32_t attempt);         // JOB-NODE-ATTEMPT
std::string host_fqdn(const std::string& job, const std::string& ns, std::int32_t node);  // JOB-NODE.JOB.NS.svc
std::string merge_job(const std::string& job);                                            // JOB-merge
std::string claim(const std::string& job);                                                // JOB-claim
std::string gang(const std::string& job);                                                 // JOB
std::string queue_group(const std::string& job, std::int32_t attempt);                    // JOB-ATTEMPT
/// evaljob-UID-<of the spec's digest>-<of the content's digest>: of a Secret that nobody could have made beforehand.
std::string run_secret(const std::string& uid, const std::string& spec_sha256, const std::string& content_sha256);
/// Whether it can be the name of a Secret with this spec for this EvalJob.
bool is_run_secret(const std::string& name, const std::string& uid, const std::string& spec_sha256);
std::string run_id(const std::string& job, const std::string& uid);  // JOB-<first 8 of the uid>
std::string output_dir(const std::string& shared_dir, const std::string& run_id, std::int32_t node,
                       std::int32_t attempt);  // SHARED/runs/RUN/node-NODE/attempt-ATTEMPT

/// Attempts are counted up to here: as many as restartPolicy.maxRestarts may allow.
inline constexpr std::int32_t max_attempt = 9999;
inline constexpr std::size_t max_label_length = 63;  // of a DNS label, and so of every name here

std::string longest_pod(const std::string& job, std::int32_t nodes);  // the last node's at max_attempt
/// The longest name that a job of this shape can lead to (max_label_length is the limit).
std::size_t longest(const std::string& job, std::int32_t nodes);

}  // namespace evaljob::names
