// What /metrics shows, under the names that dashboards for controllers know, and our own (evaljob_*). Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "operator/controller.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::cluster {

class Metrics {
public:
    Metrics(const std::string& version, int workers);
    ~Metrics();

    /// `status`: HTTP's; 0: there was no answer.
    void requested(kube::Verb verb, const std::string& host, int status, std::chrono::nanoseconds took);
    void reconciled(const ReconcileTimes& times);
    void leads(const std::string& lease, bool leads);

    /// What is read from it when someone asks; nullptr: there is none (any more).
    void read_from(const Controller* controller);

    /// Prometheus' text format.
    std::string text() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Counts and times every request on its way.
class MeasuredTransport : public kube::Transport {
public:
    MeasuredTransport(kube::Transport& inner, Metrics& metrics, std::string host);

    Result<kube::Response> send(const kube::Request& request) override;
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override;

private:
    kube::Transport& inner_;
    Metrics& metrics_;
    std::string host_;
};

}  // namespace evaljob::cluster
