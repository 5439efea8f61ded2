#include "evaljob-runner/engine/openai/url.hpp"

#include <charconv>
#include <cstdint>

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

}  // namespace

Result<Url> parse_url(const std::string& text) {
    Url url;
    url.tls = text.starts_with("https://");
    if (!url.tls && !text.starts_with("http://")) return bad(text, "has neither http:// nor https://");
    const std::string rest = text.substr(text.find("//") + 2);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string authority = rest.substr(0, slash);
    url.path = rest.substr(slash);
    while (url.path.ends_with('/')) url.path.pop_back();
    const bool bracketed = authority.starts_with('[');
    const std::size_t host_end = bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
    if (host_end == std::string::npos) return bad(text, "has a [ without ]");
    url.host = authority.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
    const std::string behind = authority.substr(host_end + (bracketed ? 1 : 0));
    url.port = behind.empty() ? default_port(url.tls) : behind.substr(1);
    if (url.host.empty()) return bad(text, "has no host");
    if (!behind.empty() && (behind.front() != ':' || !is_port(url.port))) return bad(text, "has a port that is none");
    if (text.find_first_of("@?# \r\n") != std::string::npos) return bad(text, "has a user, a query or a fragment");
    return url;
}

std::string host_header(const Url& url) {
    const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    return url.port == default_port(url.tls) ? host : host + ":" + url.port;
}

bool is_local(const Url& url) { return url.host == "localhost" || url.host == "::1" || url.host.starts_with("127."); }

}  // namespace evaljob::openai
