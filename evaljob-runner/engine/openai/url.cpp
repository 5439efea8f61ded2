#include "evaljob-runner/engine/openai/url.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace evaljob::openai {

namespace {

tl::unexpected<Error> bad(const std::string& text, const std::string& what) {
    return fail("BadInput",
                "spec.eval.model.url: " + text + ": " + what + "; it must be like http://localhost:8000/v1");
}

const char* default_port(bool tls) { return tls ? "443" : "80"; }

bool is_port(const std::string& text) {
    std::uint32_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    return end.ec == std::errc() && end.ptr == text.data() + text.size() && number > 0 && number < 65536;
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

std::string percent_encoded(const std::string& text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_unreserved(c))
            encoded += c;
        else
            encoded.append({'%', digits[byte / 16U], digits[byte % 16U]});
    }
    return encoded;
}

}  // namespace

Result<Authority> parse_authority(const std::string& text) {
    const auto wrong = [](const char* what) { return fail("BadInput", what); };
    const bool bracketed = text.starts_with('[');
    const std::size_t host_end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
    if (host_end == std::string::npos) return wrong("has a [ without ]");
    Authority authority;
    authority.host = text.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
    const std::string behind = text.substr(host_end + (bracketed ? 1 : 0));
    if (authority.host.empty()) return wrong("has no host");
    if (!behind.empty()) authority.port = behind.substr(1);
    if (!behind.empty() && (behind.front() != ':' || !is_port(authority.port))) return wrong("has a port that is none");
    return authority;
}

Result<Url> parse_url(const std::string& text) {
    Url url;
    url.tls = text.starts_with("https://");
    if (!url.tls && !text.starts_with("http://")) return bad(text, "has neither http:// nor https://");
    const std::string rest = text.substr(text.find("//") + 2);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    url.path = rest.substr(slash);
    while (url.path.ends_with('/')) url.path.pop_back();
    auto authority = parse_authority(rest.substr(0, slash));
    if (!authority) return bad(text, authority.error().message);
    url.host = std::move(authority->host);
    url.port = authority->port.empty() ? default_port(url.tls) : std::move(authority->port);
    if (text.find_first_of("@?# \r\n") != std::string::npos) return bad(text, "has a user, a query or a fragment");
    return url;
}

std::string host_header(const Url& url) {
    const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    return url.port == default_port(url.tls) ? host : host + ":" + url.port;
}

bool is_local(const Url& url) { return url.host == "localhost" || url.host == "::1" || url.host.starts_with("127."); }

std::string query_text(const std::map<std::string, std::string>& query) {
    std::string text;
    for (const auto& [name, value] : query)
        text += (text.empty() ? "?" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
    return text;
}

std::string percent_decoded(const std::string& text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const char* const digits = text.data() + i + 1;
        const bool is_code =
            text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
        decoded += is_code ? static_cast<char>(byte) : text[i];
        if (is_code) i += 2;
    }
    return decoded;
}

}  // namespace evaljob::openai
