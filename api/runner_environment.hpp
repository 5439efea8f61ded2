// What the operator tells the built-in runner beside the rank contract. Names only: who sets and who reads a variable
// includes this file, so that they cannot differ.
#pragma once

namespace evaljob::runner_environment {

// The folder of the files of the run's Secret (run_spec.hpp); absent: where a Pod has it.
inline constexpr const char* run_folder = "EVALJOB_RUN_FOLDER";
inline constexpr const char* spec_sha256 = "EVALJOB_SPEC_SHA256";  // of the file `spec`, as hexadecimal digits
// {"allowPartial": bool, "maxFailedSamples": n}; without eval also "image": {"attempt": n, "nodes": n}, whose output is
// merged. No text of a user's.
inline constexpr const char* merge = "EVALJOB_MERGE";
inline constexpr const char* identity = "EVALJOB_IDENTITY";  // what the merge proves: node 0's manifest
inline constexpr const char* max_failed_samples = "EVALJOB_MAX_FAILED_SAMPLES";  // of spec.merge; absent: 0
inline constexpr const char* writers = "EVALJOB_WRITERS";                        // spec.storage.writers; absent: Ranks
inline constexpr const char* storage_root = "EVALJOB_STORAGE_ROOT";              // what relative paths are relative to
inline constexpr const char* http_port = "EVALJOB_HTTP_PORT";                    // of /progress
inline constexpr const char* ready_timeout_seconds = "EVALJOB_READY_TIMEOUT_SECONDS";
inline constexpr const char* pod_ip = "EVALJOB_POD_IP";                    // the address to listen on; absent: all
inline constexpr const char* termination_log = "EVALJOB_TERMINATION_LOG";  // absent: /dev/termination-log

}  // namespace evaljob::runner_environment
