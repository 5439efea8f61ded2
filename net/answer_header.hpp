// The header of an HTTP answer, for every client of ours that reads one. Interim answers (1xx) may stand before it,
// whether anybody asked for them or not; whoever takes one for the answer takes the answer for the next one's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

namespace evaljob {

struct AnswerLimits {
    std::uint64_t body_bytes = 0;
    std::uint32_t header_bytes = 64U << 10U;
    int interim = 100;                                   // answers before the one that counts
    std::size_t interim_bytes = std::size_t{64} << 10U;  // all of them
    bool no_body = false;                                // whatever the header says: an answer to CONNECT
};

/// Leaves in `parser` the first answer that is none of 1xx, its body still to be read. `parser` has to be empty.
template <class Body, class Stream>
boost::asio::awaitable<boost::system::error_code> read_answer_header(
    Stream& stream, boost::beast::flat_buffer& buffer, std::optional<boost::beast::http::response_parser<Body>>& parser,
    AnswerLimits limits) {
    namespace http = boost::beast::http;
    boost::system::error_code error;
    std::size_t bytes = 0;
    for (int interim = 0; interim <= limits.interim; ++interim) {
        parser.emplace();
        parser->header_limit(limits.header_bytes);
        parser->body_limit(limits.body_bytes);
        parser->skip(limits.no_body);
        bytes += co_await http::async_read_header(stream, buffer, *parser,
                                                  boost::asio::redirect_error(boost::asio::use_awaitable, error));
        if (error) co_return error;
        const unsigned status = parser->get().result_int();
        // Nobody asked for another protocol.
        if (status == 101) co_return make_error_code(http::error::bad_status);
        if (status / 100 != 1) co_return error;
        if (bytes > limits.interim_bytes) break;
    }
    co_return make_error_code(http::error::header_limit);
}

}  // namespace evaljob
