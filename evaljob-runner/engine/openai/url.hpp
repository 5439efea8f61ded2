// The base URL of a server, taken apart. Pure.
#pragma once

#include <map>
#include <string>

#include "api/result.hpp"

namespace evaljob::openai {

/// "host", "host:80", "[::1]:80".
struct Authority {
    std::string host;  // without the brackets of an IPv6 address
    std::string port;  // empty: none is named
};

/// The Error's message says what is wrong with it, and has nothing of it.
Result<Authority> parse_authority(const std::string& text);

struct Url {
    bool tls = false;
    std::string host;  // without the brackets of an IPv6 address
    std::string port;
    std::string path;  // without '/' at its end

    bool operator==(const Url&) const = default;
};

/// Fails with BadInput.
Result<Url> parse_url(const std::string& text);

/// As the header Host has it.
std::string host_header(const Url& url);

/// An address that cannot leave this machine.
bool is_local(const Url& url);

/// "?name=value&…" with what is no letter or digit as %20; empty without members.
std::string query_text(const std::map<std::string, std::string>& query);

/// %20 and the like as what they stand for; a % without two digits stays.
std::string percent_decoded(const std::string& text);

}  // namespace evaljob::openai
