#include "evaljob-runner/wire/frame_stream.hpp"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace evaljob {

namespace asio = boost::asio;

FrameStream::FrameStream(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
}

asio::awaitable<Result<std::string>> FrameStream::read() {
    boost::system::error_code error;
    std::array<unsigned char, 4> head{};
    co_await asio::async_read(socket_, asio::buffer(head), asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::eof) co_return fail("Closed", "the peer closed the connection", true);
    if (error) co_return fail("ConnectionLost", error.message(), true);
    const std::uint32_t length =
        head[0] | (head[1] << 8U) | (head[2] << 16U) | (static_cast<std::uint32_t>(head[3]) << 24U);
    if (length > max_wire_frame)
        co_return fail("BadMessage", "a frame of " + std::to_string(length) + " bytes; at most " +
                                         std::to_string(max_wire_frame) + " are read");
    std::string payload(length, '\0');
    co_await asio::async_read(socket_, asio::buffer(payload), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return fail("ConnectionLost", error.message(), true);
    co_return payload;
}

void FrameStream::write(const std::string& payload) {
    if (closing_) return;
    const auto length = static_cast<std::uint32_t>(payload.size());
    std::string frame;
    frame.reserve(payload.size() + 4);
    for (int shift = 0; shift < 32; shift += 8) frame += static_cast<char>((length >> shift) & 0xFF);
    frame += payload;
    queued_bytes_ += frame.size();
    if (queued_bytes_ > max_wire_queue) return close();
    queue_.push_back(std::move(frame));
    if (queue_.size() == 1) send_next();
}

void FrameStream::send_next() {
    asio::async_write(socket_, asio::buffer(queue_.front()),
                      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                          if (error) return self->close();
                          self->queued_bytes_ -= self->queue_.front().size();
                          self->queue_.pop_front();
                          if (!self->queue_.empty()) return self->send_next();
                          if (self->closing_) self->close();
                      });
}

void FrameStream::close_when_sent() {
    closing_ = true;
    if (queue_.empty()) close();
}

void FrameStream::close() {
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

}  // namespace evaljob
