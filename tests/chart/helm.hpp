// helm as it is on PATH, over the chart of this source tree.
#pragma once

#include <string>
#include <vector>

#include "api/json.hpp"
#include "tests/places.hpp"

namespace evaljob::test {

inline constexpr const char* chart = EVALJOB_SOURCE_DIR "/charts/evaljob";

/// Skips the test where there is no helm, or fails it when nothing may be skipped.
void need_helm();

struct HelmAnswer {
    int status = -1;
    std::string out;
    std::string err;
};
/// Without a kubeconfig there is no cluster.
HelmAnswer helm(const std::vector<std::string>& args, const std::string& kubeconfig = "");

/// `helm template` of the chart.
HelmAnswer render(const std::vector<std::string>& args);
/// What it prints, an object each. An empty list, and the test has failed, when helm refuses.
std::vector<Json> rendered(const std::vector<std::string>& args);

/// The only object of this kind and with this end of its name; null, and the test has failed, when there is not exactly
/// one.
Json the(const std::vector<Json>& objects, const std::string& kind, const std::string& name_end = "");

std::vector<std::string> example_values();  // charts/evaljob/ci/*-values.yaml

}  // namespace evaljob::test
