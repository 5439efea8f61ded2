#include "evaljob-runner/wire/frame_stream.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/completion_condition.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace evaljob {

namespace asio = boost::asio;

namespace {

constexpr std::size_t length_size = 4;

std::uint32_t length_at(const char* bytes) {
    std::uint32_t length = 0;
    for (std::size_t i = length_size; i-- > 0;) length = (length << 8U) | static_cast<unsigned char>(bytes[i]);
    return length;
}

}  // namespace

FrameStream::FrameStream(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
}

/// So that at least so many bytes are there. What has come beyond them is kept for the next frame, `most` in all.
asio::awaitable<Result<void>> FrameStream::receive(std::size_t bytes, std::size_t most) {
    const std::size_t there = received_.size() - taken_;
    if (there >= bytes) co_return Result<void>();
    received_.erase(0, std::exchange(taken_, 0));
    boost::system::error_code error;
    co_await asio::async_read(socket_, asio::dynamic_buffer(received_, std::max(most, there)),
                              asio::transfer_at_least(bytes - there), asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::eof && received_.empty())
        co_return fail("Closed", "the peer closed the connection", true);
    if (error) co_return fail("ConnectionLost", error.message(), true);
    co_return Result<void>();
}

asio::awaitable<Result<std::string>> FrameStream::read(std::uint32_t limit) {
    const std::size_t most = length_size + limit;
    if (auto head = co_await receive(length_size, most); !head) co_return tl::unexpected(head.error());
    const std::uint32_t length = length_at(received_.data() + taken_);
    if (length > limit)
        co_return fail("BadMessage", "a frame of " + std::to_string(length) + " bytes; at most " +
                                         std::to_string(limit) + " are read");
    if (auto whole = co_await receive(length_size + length, most); !whole) co_return tl::unexpected(whole.error());
    std::string payload = received_.substr(taken_ + length_size, length);
    taken_ += length_size + length;
    co_return payload;
}

void FrameStream::write(const std::string& payload) {
    if (closing_) return;
    const auto length = static_cast<std::uint32_t>(payload.size());
    for (std::size_t i = 0; i < length_size; ++i) queued_ += static_cast<char>((length >> (8 * i)) & 0xFF);
    queued_ += payload;
    if (queued_.size() + sending_.size() > max_wire_queue) return close();
    if (std::exchange(sends_, true)) return;
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->send(); });
}

void FrameStream::send() {
    sending_ = std::exchange(queued_, {});
    asio::async_write(socket_, asio::buffer(sending_),
                      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                          self->sending_.clear();
                          self->sends_ = !error && !self->queued_.empty();
                          if (self->sends_) return self->send();
                          if (error || self->closing_) self->close();
                      });
}

void FrameStream::close_when_sent() {
    closing_ = true;
    if (!sends_) close();
}

void FrameStream::close() {
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

}  // namespace evaljob
