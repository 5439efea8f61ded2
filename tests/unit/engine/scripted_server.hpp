// A server on loopback in the test's own thread and io_context: it reads requests whole, and does byte by byte what its
// script says. Nothing of it depends on speed: what it writes is on its way before anybody else has a turn.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace evaljob::test {

struct Asked {
    std::string head;  // with the empty line
    std::string body;
    int connection = 0;  // the how manieth

    bool has(const std::string& text) const { return head.find(text) != std::string::npos; }
};

struct Step {
    enum class Kind { Write, Turn, Close, Reset, Stall };  // Turn: the others' turn; Stall: until the client closes
    Kind kind = Kind::Write;
    std::string bytes;
};

inline Step say(std::string bytes) { return {Step::Kind::Write, std::move(bytes)}; }
inline Step do_it(Step::Kind kind) { return {kind, ""}; }

inline std::string whole_answer(int status, const std::string& body, const std::string& headers = "") {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
}

class ScriptedServer {
public:
    using Socket = boost::asio::ip::tcp::socket;
    using Script = std::function<std::vector<Step>(const Asked&)>;

    ScriptedServer(boost::asio::io_context& io, Script script)
        : io_(io), acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}), script_(std::move(script)) {
        port_ = acceptor_.local_endpoint().port();
        boost::asio::co_spawn(io_, accept(), boost::asio::detached);
    }

    std::string port() const { return std::to_string(port_); }
    std::string url() const { return "http://127.0.0.1:" + port(); }

    void stop_listening() { acceptor_.close(); }

    /// Bytes that nobody asked for, on every connection.
    void blurt(const std::string& bytes) {
        for (Socket* socket : open_) write_now(*socket, bytes);
    }
    void close_all() {
        for (Socket* socket : open_) ::shutdown(socket->native_handle(), SHUT_RDWR);
    }

    int connections() const { return connections_; }
    std::size_t open() const { return open_.size(); }
    const std::vector<Asked>& asked() const { return asked_; }
    void forget() { asked_.clear(); }

private:
    template <class T>
    using Awaitable = boost::asio::awaitable<T>;
    using ErrorCode = boost::system::error_code;

    Awaitable<void> accept() {
        ErrorCode error;
        while (acceptor_.is_open()) {
            Socket socket =
                co_await acceptor_.async_accept(boost::asio::redirect_error(boost::asio::use_awaitable, error));
            if (error) continue;
            boost::asio::co_spawn(io_, serve(std::move(socket), ++connections_), boost::asio::detached);
        }
    }

    static std::size_t length_of(const std::string& head) {
        const std::size_t at = head.find("Content-Length: ");
        return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    }

    Awaitable<bool> read(Socket& socket, std::string& unread, Asked& asked) {
        ErrorCode error;
        auto buffer = boost::asio::dynamic_buffer(unread);
        const std::size_t head = co_await boost::asio::async_read_until(
            socket, buffer, "\r\n\r\n", boost::asio::redirect_error(boost::asio::use_awaitable, error));
        if (error) co_return false;
        asked.head = unread.substr(0, head);
        const std::size_t whole = head + length_of(asked.head);
        if (unread.size() < whole)
            co_await boost::asio::async_read(socket, buffer, boost::asio::transfer_exactly(whole - unread.size()),
                                             boost::asio::redirect_error(boost::asio::use_awaitable, error));
        if (error) co_return false;
        asked.body = unread.substr(head, whole - head);
        unread.erase(0, whole);
        co_return true;
    }

    Awaitable<void> serve(Socket socket, int number) {
        socket.set_option(boost::asio::ip::tcp::no_delay(true));
        open_.insert(&socket);
        std::string unread;
        for (bool goes_on = true; goes_on;) {
            Asked asked{"", "", number};
            goes_on = co_await read(socket, unread, asked);
            if (!goes_on) break;
            asked_.push_back(asked);
            const std::vector<Step> steps = script_(asked);
            for (const Step& step : steps) {
                if (!goes_on) break;
                goes_on = co_await act(socket, step);
            }
        }
        open_.erase(&socket);
    }

    /// Whether the conversation goes on.
    Awaitable<bool> act(Socket& socket, const Step& step) {
        ErrorCode error;
        char byte = 0;
        switch (step.kind) {
            case Step::Kind::Write:
                co_return write_now(socket, step.bytes);
            case Step::Kind::Turn:
                co_await boost::asio::post(io_, boost::asio::use_awaitable);
                co_return true;
            case Step::Kind::Reset:
                socket.set_option(boost::asio::socket_base::linger(true, 0), error);
                [[fallthrough]];
            case Step::Kind::Close:
                socket.close(error);
                co_return false;
            case Step::Kind::Stall:
                while (!error)
                    co_await socket.async_read_some(boost::asio::buffer(&byte, 1),
                                                    boost::asio::redirect_error(boost::asio::use_awaitable, error));
                co_return false;
        }
        co_return false;
    }

    static bool write_now(Socket& socket, const std::string& bytes) {
        return ::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }

    boost::asio::io_context& io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    Script script_;
    std::uint16_t port_ = 0;
    int connections_ = 0;
    std::set<Socket*> open_;
    std::vector<Asked> asked_;
};

}  // namespace evaljob::test
