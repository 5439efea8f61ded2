// One member of a group reads, all have the bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "evaljob-runner/communicate/communicator.hpp"

namespace evaljob {

/// What is spread. All members must mean the same, which is checked before a byte is sent.
struct SpreadOf {
    std::string what;  // the digests that it and the evaluation have
    std::uint64_t size = 0;
};

/// Member 0 calls `read` piece by piece; every member has the bytes in `to` after success. Fails with Unavailable when
/// the group has lost a member or means different things; with read's Error.
Result<void> spread(Communicator& group, const SpreadOf& of, char* to,
                    const std::function<Result<void>(std::uint64_t offset, char* to, std::size_t count)>& read);

}  // namespace evaljob
