// An EvalJob of the built-in runner, small and valid, for tests that need one.
#pragma once

#include <string>

#include "api/json.hpp"

namespace evaljob::test {

/// Of the manifest that node 0 has frozen, where nobody has one.
inline std::string frozen_identity() { return std::string(64, 'f'); }

inline Json fashion_job(const std::string& name, int nodes) {
    return {
        {"apiVersion", "evaljob.dev/v1alpha1"},
        {"kind", "EvalJob"},
        {"metadata", {{"name", name}}},
        {"spec",
         {{"numNodes", nodes},
          {"storage",
           {{"claimTemplate",
             {{"spec", {{"accessModes", {"ReadWriteMany"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}}}}},
          {"eval",
           {{"model", {{"format", "TorchScript"}, {"path", "model.pt"}}},
            {"datasets", Json::array({{{"name", "fashion"},
                                       {"format", "IDX"},
                                       {"path", "images.gz"},
                                       {"labelsPath", "labels.gz"},
                                       {"task", {{"type", "Classification"}}}}})}}}}}};
}

}  // namespace evaljob::test
