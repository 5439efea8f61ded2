// Frames over TCP: a length (4 bytes, little endian), then so many bytes of JSON (coordinator/protocol.hpp).
// Thread rule: everything on the io_context's one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>  // Boost 1.74's awaitable.hpp needs it and does not say so

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "api/result.hpp"

namespace evaljob {

inline constexpr std::uint32_t max_wire_frame = 1U << 20;
inline constexpr std::size_t max_wire_queue = 64U
                                              << 20;  // bytes that wait to be sent; a peer that reads so slowly is lost

class FrameStream : public std::enable_shared_from_this<FrameStream> {
public:
    explicit FrameStream(boost::asio::ip::tcp::socket socket);

    /// The next frame's payload. Fails with Closed (clean end), ConnectionLost or BadMessage (over `limit` bytes). Of a
    /// peer that sends more, no more is taken into memory before it is read.
    boost::asio::awaitable<Result<std::string>> read(std::uint32_t limit = max_wire_frame);

    /// Queues a frame: what is written before the io_context goes on is sent together. A failure shows in read().
    void write(const std::string& payload);

    /// Closes as soon as everything queued has been sent.
    void close_when_sent();
    void close();

private:
    boost::asio::awaitable<Result<void>> receive(std::size_t bytes, std::size_t most);
    void send();

    boost::asio::ip::tcp::socket socket_;
    std::string received_;  // from taken_ on
    std::size_t taken_ = 0;
    std::string queued_;
    std::string sending_;
    bool sends_ = false;  // sending_, or soon
    bool closing_ = false;
};

}  // namespace evaljob
