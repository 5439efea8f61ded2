#include "local/pod_addresses.hpp"

#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <vector>

namespace evaljob::local {
namespace {

using boost::asio::ip::tcp;

bool is_label(const std::string& text) {
    return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

bool is_free(boost::asio::io_context& io, const tcp::endpoint& endpoint) {
    boost::system::error_code error;
    tcp::acceptor acceptor(io);
    acceptor.open(endpoint.protocol(), error);
    if (!error)
        acceptor.set_option(tcp::acceptor::reuse_address(true), error);  // as servers do: TIME_WAIT is no hindrance
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(1, error);
    return !error;
}

}  // namespace

std::string PodAddresses::address_of(const std::string& host) {
    const auto number = hosts_.emplace(host, static_cast<std::uint32_t>(hosts_.size())).first->second;
    // 127.A.B.C: 254 hosts a block, blocks spread by the seed; never 127.0.x.x, which others use.
    const auto block = (seed_ + number / 254) % (254 * 256);
    return "127." + std::to_string(1 + block / 256) + "." + std::to_string(block % 256) + "." +
           std::to_string(1 + number % 254);
}

std::optional<std::string> PodAddresses::address_of_fqdn(const std::string& text) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= text.size() && parts.size() <= 4;) {
        const auto dot = std::min(text.find('.', start), text.size());
        parts.push_back(text.substr(start, dot - start));
        start = dot + 1;
    }
    if (parts.size() != 4 || parts[3] != "svc" || !std::all_of(parts.begin(), parts.end(), is_label))
        return std::nullopt;
    return address_of(text);
}

Result<std::uint16_t> free_port(const std::string& address, std::uint16_t first) {
    boost::system::error_code error;
    const auto ip = boost::asio::ip::make_address(address, error);
    if (error) return fail("InvalidAddress", "'" + address + "' is not an IP address");
    boost::asio::io_context io;
    // Below the range from which the system takes the ports of outgoing connections (32768 on).
    for (std::uint16_t port = first; port < 32766; port += 2) {
        if (is_free(io, {ip, port}) && is_free(io, {ip, static_cast<std::uint16_t>(port + 1)})) return port;
    }
    return fail("NoFreePort",
                "no two neighbouring ports from " + std::to_string(first) + " to 32767 are free on " + address, true);
}

Result<std::uint16_t> free_port_everywhere(std::uint32_t seed) {
    constexpr std::uint32_t places = 9000;  // 10000 to 27998: none that free_port starts from
    return free_port("0.0.0.0", static_cast<std::uint16_t>(10000 + 2 * (seed % places)));
}

}  // namespace evaljob::local
