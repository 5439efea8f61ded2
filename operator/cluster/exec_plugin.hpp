// Runs a kubeconfig's credential program.
#pragma once

#include <string>

#include "operator/kube/kubeconfig.hpp"

namespace evaljob::cluster {

/// What it prints: a JSON ExecCredential. Fails with ExecFailed when it cannot be started, ends with another status
/// than 0, or takes more than 60 s; what it says on standard error is left where ours goes.
Result<std::string> run_exec_plugin(const kube::ExecPlugin& plugin);

}  // namespace evaljob::cluster
