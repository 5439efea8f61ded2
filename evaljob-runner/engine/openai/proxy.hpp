// Which proxy the environment names for a server, as curl and most others read it.
#pragma once

#include <optional>
#include <string>

#include "api/contract.hpp"
#include "api/result.hpp"
#include "evaljob-runner/engine/openai/url.hpp"

namespace evaljob::openai {

struct ProxyServer {
    std::string host;
    std::string port;
    std::string user;
    std::string password;
    std::string variable;  // that named it

    bool operator==(const ProxyServer&) const = default;
};

/// https_proxy or HTTPS_PROXY for https, http_proxy or HTTP_PROXY for http; nothing where neither is set, or where
/// no_proxy or NO_PROXY has the server: "*", names with what is below them, addresses and networks (10.0.0.0/8).
/// Fails with BadInput; the message never shows the value.
Result<std::optional<ProxyServer>> proxy_for(const Url& url, const Environment& environment);

/// Its header Proxy-Authorization; empty without a user.
std::string proxy_authorization(const ProxyServer& proxy);

}  // namespace evaljob::openai
