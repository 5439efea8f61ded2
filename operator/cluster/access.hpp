// Finds the cluster to work with: files and environment, read once at the start.
#pragma once

#include <string>

#include "operator/kube/kubeconfig.hpp"

namespace evaljob::cluster {

/// In this order: the file `kubeconfig`; the files of $KUBECONFIG; our own Pod's service account; ~/.kube/config.
/// Fails with NotFound, ReadFailed or InvalidKubeconfig, naming the file and the mend.
Result<kube::ClusterAccess> find_access(const std::string& kubeconfig, const std::string& context);

}  // namespace evaljob::cluster
