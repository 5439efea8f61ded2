// One container as processes: a keeper, which is the child subreaper of everything in the container, and under it the
// main process in a session of its own. Whatever a descendant does (setsid, double fork, a cleared environment), its
// orphans stay the keeper's children, so that none is lost and none of another container is hit.
// For single-threaded programs alone: it forks without exec.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "api/contract.hpp"
#include "api/result.hpp"

namespace evaljob::local {

struct ContainerSpec {
    std::string id;                 // the caller's name for it
    std::vector<std::string> argv;  // argv[0] is looked up on env's PATH
    Environment env;                // all of it: nothing is inherited
    std::string cwd;
    std::string log_path;  // standard output and error are appended here
};

/// What a keeper says, one message a packet.
struct KeeperMessage {
    enum Kind : std::int32_t {
        Started,      // value: pid of the main process
        NoDirectory,  // value: errno of entering cwd
        NoLog,        // value: errno of opening the log
        NoProgram,    // value: errno of running argv[0]
        NoChild,      // value: errno of forking
        Exited        // value: wait status of the main process; nothing of the container is left
    };
    std::int32_t kind = Started;
    std::int32_t value = 0;
};

struct Keeper {
    pid_t pid = -1;
    int channel = -1;  // SOCK_SEQPACKET: gives KeeperMessage, takes a signal number (int32) for the main process
};

/// Forks the keeper, which ends with its parent: when that dies, or closes the channel.
Result<Keeper> start_container(const ContainerSpec& spec);

/// Why a container could not be started, for a person; `message` is none of Started and Exited.
std::string start_failure(const ContainerSpec& spec, const KeeperMessage& message);

}  // namespace evaljob::local
