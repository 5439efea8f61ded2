// What lies between one operator and the API server: requests that fail, or were carried out though they seem to have
// failed; watches that lose, repeat and delay events; a death of the operator at any write.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "operator/kube/transport.hpp"
#include "tests/simulation/operator/faults.hpp"

namespace evaljob::simulation {

/// Thrown out of a request: the operator is dead, and the request may or may not have been carried out.
struct OperatorDied {};

class FlakyTransport : public kube::Transport {
public:
    struct Surroundings {
        std::function<std::int64_t()> clock;
        std::function<void()> meanwhile;  // what others do while a request is under way
        std::function<void(const std::string& request)> tell;
    };

    FlakyTransport(kube::Transport& api, Faults& faults, Random& random, Surroundings surroundings)
        : api_(api), faults_(faults), random_(random), surroundings_(std::move(surroundings)) {}

    Result<kube::Response> send(const kube::Request& request) override;
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override;

    /// Nothing listed before this can be watched: all kinds are listed anew, those too whose watch waits to be opened.
    void expire_watches() { ++expiries_; }

private:
    friend class FlakyStream;

    Result<kube::Response> list(const kube::Request& request);

    kube::Transport& api_;
    Faults& faults_;
    Random& random_;
    Surroundings surroundings_;
    std::map<std::string, std::vector<kube::Response>> old_lists_;  // of each path, as they were once
    std::uint64_t expiries_ = 0;
    std::map<std::string, std::uint64_t> listed_;  // path → the expiries before its latest list
};

}  // namespace evaljob::simulation
