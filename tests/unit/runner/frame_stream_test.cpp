#include "evaljob-runner/wire/frame_stream.hpp"

#include <gtest/gtest.h>

#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>

namespace evaljob::test {
namespace {

namespace asio = boost::asio;

/// What a stream reads when a peer has sent these bytes, and then, if it does, hung up.
class FrameStreamTest : public testing::Test {
protected:
    Result<std::string> read_one(const std::string& sent, bool hang_up) {
        asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
        asio::ip::tcp::socket peer(io_);
        peer.connect(acceptor.local_endpoint());
        const auto stream = std::make_shared<FrameStream>(acceptor.accept());
        asio::write(peer, asio::buffer(sent));
        if (hang_up) peer.close();
        std::optional<Result<std::string>> got;
        asio::co_spawn(
            io_, [&]() -> asio::awaitable<void> { got = co_await stream->read(); }, asio::detached);
        io_.restart();
        io_.run();  // returns only when the read has: a peer that stays and sends no more would hold it
        return *got;
    }

    asio::io_context io_;
};

TEST_F(FrameStreamTest, GivesAFramesPayload) {
    const auto got = read_one({5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'}, false);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, "hello");
}

TEST_F(FrameStreamTest, RefusesAFrameOfAGigabyteByItsLengthAlone) {
    const auto got = read_one({0, 0, 0, 0x40}, false);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().reason, "BadMessage");
    EXPECT_EQ(got.error().message, "a frame of 1073741824 bytes; at most 1048576 are read");
}

TEST_F(FrameStreamTest, TellsACutFrameFromACleanEnd) {
    EXPECT_EQ(read_one({5, 0, 0, 0, 'h'}, true).error().reason, "ConnectionLost");
    EXPECT_EQ(read_one("", true).error().reason, "Closed");
}

}  // namespace
}  // namespace evaljob::test
