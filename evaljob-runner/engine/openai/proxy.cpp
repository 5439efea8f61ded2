#include "evaljob-runner/engine/openai/proxy.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "api/base64.hpp"

namespace evaljob::openai {

namespace {

namespace ip = boost::asio::ip;
using ErrorCode = boost::system::error_code;

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

/// The variable's name and value; the lower-case one goes first.
std::pair<std::string, std::string> either(const Environment& environment, const char* small, const char* large) {
    const std::string value = value_of(environment, small);
    if (!value.empty()) return {small, value};
    return {large, value_of(environment, large)};
}

std::vector<std::string> entries_of(const std::string& list) {
    std::vector<std::string> entries;
    constexpr const char* between = ", \t";
    for (std::size_t begin = list.find_first_not_of(between); begin < list.size();) {
        const std::size_t end = std::min(list.find_first_of(between, begin), list.size());
        entries.push_back(lower(list.substr(begin, end - begin)));
        begin = list.find_first_not_of(between, end);
    }
    return entries;
}

template <class Address, class Make>
bool is_in(const Address& address, const std::string& network, Make make) {
    ErrorCode error;
    const auto all = make(network, error);
    return !error &&
           make(address.to_string() + "/" + std::to_string(all.prefix_length()), error).canonical() == all.canonical();
}

bool is_in_network(const std::string& host, const std::string& network) {
    ErrorCode error;
    const auto address = ip::make_address(host, error);
    if (error) return false;
    const auto four = [](const std::string& text, ErrorCode& e) { return ip::make_network_v4(text, e); };
    const auto six = [](const std::string& text, ErrorCode& e) { return ip::make_network_v6(text, e); };
    return address.is_v4() ? is_in(address.to_v4(), network, four) : is_in(address.to_v6(), network, six);
}

bool is_excepted(const std::string& entry, const std::string& host, const std::string& port) {
    if (entry == "*") return true;
    if (entry.find('/') != std::string::npos) return is_in_network(host, entry);
    std::string name = entry;
    if (std::count(entry.begin(), entry.end(), ':') < 2 || entry.starts_with('[')) {  // else an IPv6 address
        const auto authority = parse_authority(entry);
        if (!authority || (!authority->port.empty() && authority->port != port)) return false;
        name = authority->host;
    }
    name.erase(0, name.starts_with("*.") ? 2 : (name.starts_with('.') ? 1 : 0));
    return host == name || (!name.empty() && host.ends_with("." + name));
}

Result<ProxyServer> read_proxy(const std::string& variable, const std::string& value) {
    const auto bad = [&](const std::string& what) {
        return fail("BadInput", "spec.eval.model.proxy: the variable " + variable + " " + what +
                                    "; it must be like http://proxy:3128 or http://user:password@proxy:3128");
    };
    std::string rest = value;
    if (const std::size_t scheme = value.find("://"); scheme != std::string::npos) {
        if (lower(value.substr(0, scheme)) != "http") return bad("names a proxy that is not spoken to with http://");
        rest.erase(0, scheme + 3);
    }
    const bool printable = std::all_of(rest.begin(), rest.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (!printable) return bad("has characters that no URL has");
    ProxyServer proxy;
    proxy.variable = variable;
    if (const std::size_t at = rest.rfind('@'); at != std::string::npos) {
        const std::string who = rest.substr(0, at);
        const std::size_t colon = std::min(who.find(':'), who.size());
        proxy.user = percent_decoded(who.substr(0, colon));
        proxy.password = colon < who.size() ? percent_decoded(who.substr(colon + 1)) : "";
        rest.erase(0, at + 1);
    }
    if (rest.ends_with('/')) rest.pop_back();
    auto authority = parse_authority(rest);
    if (!authority) return bad(authority.error().message);
    proxy.host = std::move(authority->host);
    proxy.port = authority->port.empty() ? "80" : std::move(authority->port);
    return proxy;
}

}  // namespace

Result<std::optional<ProxyServer>> proxy_for(const Url& url, const Environment& environment) {
    const auto [variable, value] =
        url.tls ? either(environment, "https_proxy", "HTTPS_PROXY") : either(environment, "http_proxy", "HTTP_PROXY");
    if (value.empty()) return std::nullopt;
    const std::string host = lower(url.host);
    for (const std::string& entry : entries_of(either(environment, "no_proxy", "NO_PROXY").second))
        if (is_excepted(entry, host, url.port)) return std::nullopt;
    auto proxy = read_proxy(variable, value);
    if (!proxy) return tl::unexpected(proxy.error());
    return std::optional(std::move(*proxy));
}

std::string proxy_authorization(const ProxyServer& proxy) {
    if (proxy.user.empty() && proxy.password.empty()) return "";
    return "Basic " + base64_encode(proxy.user + ":" + proxy.password);
}

}  // namespace evaljob::openai
