// A container's environment, resolved as a kubelet does: values, references to Secrets and to the Pod's own fields,
// $(NAME) in values, command and arguments. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/contract.hpp"
#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob::local {

struct PodSurroundings {
    std::string ip;  // the Pod's own address
    /// A Secret of the Pod's namespace, as the API holds it.
    std::function<std::optional<Json>(const std::string& name)> secret;
    /// The literal address of a job's host ("JOB-0.JOB.NS.svc"), there being no DNS; nothing when the text is none.
    std::function<std::optional<std::string>(const std::string& text)> address_of;
};

/// What the container's `env` adds, alone. An Error names the field; its `retry` is true when what is missing may come.
Result<Environment> container_environment(const Json& pod, const Json& container, const PodSurroundings& around);

/// command and args. Without a command there is no image to ask for one: an Error.
Result<std::vector<std::string>> container_argv(const Json& container, const Environment& environment);

/// `inherited` without the variables of the rank contract and of the runner: a stray RANK must not leak in.
Environment base_environment(const Environment& inherited);

/// Fields that are set and that local mode does not act on, for a note to the user: "spec.volumes", …
std::vector<std::string> ignored_fields(const Json& pod);

/// Why local mode cannot run this Pod, naming the field; empty when it can.
std::string unsupported(const Json& pod);

}  // namespace evaljob::local
