// Where the members of a group find each other.
#pragma once

#include <memory>
#include <string>

#include "evaljob-runner/communicate/communicator.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob {

/// Each member has one before it knows whose will be used: that of member 0.
class Door {
public:
    virtual ~Door() = default;
    /// What Join says: "10.1.2.3:40123" with Gloo, the base64 of a unique id with NCCL.
    virtual std::string address() const = 0;
    /// With the group that the coordinator has handed out. Fails with Unavailable when a member does not come in time.
    virtual Result<std::unique_ptr<Communicator>> enter(const Group& group) = 0;
};

}  // namespace evaljob
