// HTTP to a real API server, over cpprestsdk. What bites a long-lived client there, and is avoided here:
//
// - its pool of threads has one thread, so that time-outs and cancels never close a socket that TLS is using;
// - a client for requests (30 s) and one for watches, whose server-side end always comes before their own time-out;
//   keep-alive probes notice a connection that is dead but open;
// - the cluster's authority replaces the system's, TLS is 1.2 or newer, redirects are not followed;
// - clients are made anew when certificates change, and open watches are cut then;
// - every task is waited for in one place, which turns its exceptions into Errors.
//
// Thread rule: thread-safe. One object a process lives longer than all its streams.
#pragma once

#include <memory>
#include <string>

#include "operator/cluster/credentials.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::cluster {

class CpprestTransport : public kube::Transport {
public:
    /// Fails with TlsFailed or ReadFailed when certificates cannot be used.
    static Result<std::unique_ptr<CpprestTransport>> connect(std::string server, std::shared_ptr<Credentials> who,
                                                             std::string user_agent);
    ~CpprestTransport() override;

    /// Fails with Unreachable (retry) when no whole answer came. A write may have been carried out all the same.
    Result<kube::Response> send(const kube::Request& request) override;

    /// Ends all streams, now and for good; requests go on.
    void end_streams();

    /// The stream's read() waits until something arrives; cancel(), from any thread, ends it.
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override;

private:
    struct State;
    explicit CpprestTransport(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace evaljob::cluster
