// The one door to an API server.
#pragma once

#include <memory>
#include <string_view>

#include "api/result.hpp"
#include "operator/kube/request.hpp"

namespace evaljob::kube {

/// The body of a watch, as it arrives.
class ByteStream {
public:
    virtual ~ByteStream() = default;
    /// The next bytes; valid until the next call. An empty view is a clean end of the stream, unless pending() is true:
    /// then nothing has arrived yet (only a stream that never blocks, the one in memory, says so).
    virtual Result<std::string_view> read() = 0;
    virtual bool pending() const { return false; }
    virtual void cancel() = 0;
};

class Transport {
public:
    virtual ~Transport() = default;
    virtual Result<Response> send(const Request& request) = 0;
    /// For watches: an HTTP status other than 200 is an Error as read_response makes it.
    virtual Result<std::unique_ptr<ByteStream>> open(const Request& request) = 0;
};

}  // namespace evaljob::kube
