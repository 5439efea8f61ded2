#pragma once

#include <memory>
#include <string>

#include "evaljob-runner/communicate/communicator.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob {

/// Whether this program has Gloo; without it a door is Unavailable.
extern const bool gloo_is_built;

/// Where the members of a Gloo group find each other. Each has one before it knows whose will be used: that of member
/// 0.
class GlooDoor {
public:
    virtual ~GlooDoor() = default;
    /// "10.1.2.3:40123"
    virtual std::string address() const = 0;
    /// With the group that the coordinator has handed out. Fails with Unavailable when a member does not come in time.
    virtual Result<std::unique_ptr<Communicator>> enter(const Group& group) = 0;
};

/// On this address of this machine. Fails with Unavailable.
Result<std::unique_ptr<GlooDoor>> open_gloo_door(const std::string& address, std::int64_t limit_ms);

}  // namespace evaljob
