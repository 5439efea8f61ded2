// Carries out the Job plan against an API server in memory. It never waits: a step goes on until nothing changes.
// Thread rule: the API's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "api/json.hpp"
#include "local/memory_api.hpp"

namespace evaljob::local {

class JobController {
public:
    /// `clock`: Unix seconds, for timestamps. Also makes the API refuse Jobs that this controller cannot run.
    JobController(MemoryApi& api, std::function<std::int64_t()> clock);

    /// Brings every Job to where its Pods are; call it after changes (MemoryApi::on_change).
    void step();

private:
    bool apply_all();
    bool apply(const Json& job);
    bool release_orphans();
    bool send(kube::Verb verb, const std::string& path, const Json& body);

    MemoryApi& api_;
    std::function<std::int64_t()> clock_;
};

}  // namespace evaljob::local
