// What a kubelet writes to the API about a Pod, as requests. Pure, but for send.
#pragma once

#include <string>

#include "api/json.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::local {

/// Replaces the whole status of the Pod that has this uid.
kube::Request status_patch(const Json& pod, const Json& status);
/// A null value takes the annotation away.
kube::Request annotation_patch(const Json& pod, const std::string& name, const Json& value);
/// Nothing of the Pod runs any more: its object goes, unless a finalizer holds it.
kube::Request final_removal(const Json& pod);

/// True when the API has done it. A Pod that has gone meanwhile is no matter to a kubelet.
bool send(kube::Transport& transport, const kube::Request& request);

}  // namespace evaljob::local
