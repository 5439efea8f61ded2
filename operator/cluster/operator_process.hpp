// The operator as a process: elected, working, asking runners, answering probes; until it is told to end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "operator/cluster/cpprest_transport.hpp"
#include "operator/cluster/paced_transport.hpp"
#include "operator/plan/plan.hpp"

namespace evaljob::cluster {

struct OperatorOptions {
    std::string ns;  // empty: all namespaces
    bool elect = true;
    std::string lease_ns;
    std::string lease_name;
    std::string identity;  // the holder's name in the Lease
    int workers = 8;
    Pace pace;
    std::string listen_address;  // of /healthz, /readyz and /metrics; empty: all
    int listen_port = 8080;      // 0: nothing is served
    std::string version;
    Settings settings;
};

/// Works until SIGTERM or SIGINT. Losing the Lease ends the process at once, with status 1.
/// `host`: the API server's, for the metrics. Fails with PortInUse or CannotListen.
Result<void> run_operator(const OperatorOptions& options, CpprestTransport& transport, const std::string& host);

}  // namespace evaljob::cluster
