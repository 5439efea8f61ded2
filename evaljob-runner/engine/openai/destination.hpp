// Where requests go, and what each of them carries: from the EvalJob and the rank's environment. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/contract.hpp"
#include "api/evaljob.hpp"
#include "api/result.hpp"
#include "evaljob-runner/engine/openai/proxy.hpp"
#include "evaljob-runner/engine/openai/redaction.hpp"
#include "evaljob-runner/engine/openai/url.hpp"

namespace evaljob::openai {

struct Destination {
    Url url;
    std::string query;                                         // "?api-version=…"; empty: none
    std::vector<std::pair<std::string, std::string>> headers;  // for the server alone, the key among them
    std::optional<ProxyServer> proxy;
    Redaction secrets;
    bool has_key = false;
};

/// Fails with BadInput, naming the field; the message shows no value of a variable.
Result<Destination> read_destination(const Model& model, const Environment& environment);

/// What is sent in plain text over a network, and should not be; empty: nothing.
std::string key_in_the_open(const Destination& destination);

}  // namespace evaljob::openai
