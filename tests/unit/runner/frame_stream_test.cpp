#include "evaljob-runner/wire/frame_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace evaljob::test {
namespace {

namespace asio = boost::asio;

/// What a stream reads when a peer has sent these bytes, and then, if it does, hung up.
class FrameStreamTest : public testing::Test {
protected:
    Result<std::string> read_one(const std::string& sent, bool hang_up) { return read(1, sent, hang_up).front(); }

    std::vector<Result<std::string>> read(int frames, const std::string& sent, bool hang_up) {
        asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
        asio::ip::tcp::socket peer(io_);
        peer.connect(acceptor.local_endpoint());
        const auto stream = std::make_shared<FrameStream>(acceptor.accept());
        asio::write(peer, asio::buffer(sent));
        if (hang_up) peer.close();
        std::vector<Result<std::string>> got;
        asio::co_spawn(
            io_,
            [&]() -> asio::awaitable<void> {
                for (int i = 0; i < frames; ++i) got.push_back(co_await stream->read());
            },
            asio::detached);
        io_.restart();
        io_.run();  // returns only when the reads have: a peer that stays and sends no more would hold them
        return got;
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
    EXPECT_EQ(read_one({5, 0}, true).error().reason, "ConnectionLost");
    EXPECT_EQ(read_one("", true).error().reason, "Closed");
}

TEST_F(FrameStreamTest, TakesFramesThatCameTogetherOneByOne) {
    const auto got = read(4, std::string("\1\0\0\0a\0\0\0\0\2\0\0\0bc", 15), true);
    EXPECT_EQ(*got[0], "a");
    EXPECT_EQ(*got[1], "");
    EXPECT_EQ(*got[2], "bc");
    EXPECT_EQ(got[3].error().reason, "Closed");
}

TEST_F(FrameStreamTest, SendsFramesInTheirOrderAndThenCloses) {
    asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket peer(io_);
    peer.connect(acceptor.local_endpoint());
    const auto stream = std::make_shared<FrameStream>(acceptor.accept());
    // Before the first is sent, and while it is: more than a socket takes at once.
    const std::string large(max_wire_frame, 'x');
    for (int i = 0; i < 8; ++i) stream->write(large);
    asio::post(io_, [&] {
        stream->write("last");
        stream->close_when_sent();
        stream->write("too late");
    });
    std::string got;
    boost::system::error_code end;
    asio::async_read(peer, asio::dynamic_buffer(got),
                     [&](const boost::system::error_code& error, std::size_t) { end = error; });
    io_.run();
    EXPECT_EQ(end, asio::error::eof);
    EXPECT_EQ(got.size(), 8 * (4 + large.size()) + 8);
    EXPECT_TRUE(got.ends_with("\4" + std::string(3, '\0') + "last"));
}

}  // namespace
}  // namespace evaljob::test
