// The base URL of a server, taken apart. Pure.
#pragma once

#include <string>

#include "api/result.hpp"

namespace evaljob::openai {

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

}  // namespace evaljob::openai
