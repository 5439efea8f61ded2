// Which exit status an Error ends a runner's process with.
#pragma once

#include "api/exit_code.hpp"
#include "api/result.hpp"

namespace evaljob {

inline int exit_status_of(const Error& error) {
    // NotReady: a server or a program was waited for as long as it may be; another start would wait as long again.
    if (error.reason == "BadInput" || error.reason == "NotFound" || error.reason == "TooLarge" ||
        error.reason == "NotReady" || error.reason == "Unreadable")
        return exit_code::bad_input;
    if (error.reason == "OtherIdentity") return exit_code::identity;
    if (error.reason == "ContractViolated") return exit_code::contract;
    if (error.reason == "NoSpace") return exit_code::no_space;
    if (error.reason == "WriteFailed" || error.reason == "ReadFailed" || error.reason == "AlreadyExists")
        return exit_code::storage;
    if (error.reason == "PortInUse") return exit_code::usage;
    if (error.reason == "Unavailable" || error.reason == "CannotListen") return exit_code::unavailable;
    return exit_code::internal;
}

}  // namespace evaljob
