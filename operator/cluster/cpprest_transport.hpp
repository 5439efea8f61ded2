// HTTP to a real API server, over cpprestsdk. What bites a long-lived client there, and is avoided here:
//
// - its pool of threads has one thread, and cancels run on it too: no socket is closed while TLS is using it;
// - its time-outs count from the last byte: a request has a deadline of its own as a whole, and a watch that says
// nothing
//   for too long (bookmarks come every minute) is given up;
// - it sends a write again, unasked, when a kept connection breaks before the answer: our bodies cannot be read twice;
// - bodies have a limit;
// - the cluster's authority replaces the system's, TLS is 1.2 or newer, redirects are not followed;
// - clients are made anew when certificates change, and open watches are cut then;
// - every task is waited for in one place, which turns its exceptions into Errors.
//
// Thread rule: thread-safe. One object a process lives longer than all its streams.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "operator/cluster/credentials.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::cluster {

struct TransportOptions {
    std::chrono::milliseconds request_deadline{
        30'000};                                      // until the last byte of the answer; of a watch: of its headers
    std::chrono::milliseconds watch_silence{90'000};  // between two bytes of a watch
    std::size_t most_body_bytes = std::size_t{64} << 20U;  // of an answer; lists come in pages
};

class CpprestTransport : public kube::Transport {
public:
    /// Fails with TlsFailed or ReadFailed when certificates cannot be used, with Unsupported for a literal IPv6
    /// address.
    static Result<std::unique_ptr<CpprestTransport>> connect(std::string server, std::shared_ptr<Credentials> who,
                                                             std::string user_agent, TransportOptions options = {});
    ~CpprestTransport() override;

    /// Fails with Unreachable or DeadlineExceeded (retry) when no whole answer came: a write may have been carried out
    /// all the same, and is not sent again; and with TooLarge. What the server said, errors too, is a Response.
    Result<kube::Response> send(const kube::Request& request) override;

    /// Ends all streams, now and for good; requests go on.
    void end_streams();

    /// The stream's read() waits until something arrives; cancel(), from any thread, ends it. It fails with Silent when
    /// nothing arrives for `watch_silence`.
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override;

private:
    struct State;
    explicit CpprestTransport(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace evaljob::cluster
