#include "evaljob-runner/engine/openai/destination.hpp"

#include "evaljob-runner/engine/openai/api_key.hpp"

namespace evaljob::openai {

namespace {

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

Result<void> add_key(Destination& destination, const Model& model, const Environment& environment) {
    const auto key = api_key(model.api_key_variable, environment);
    if (!key) return tl::unexpected(key.error());
    if (key->empty()) return {};
    destination.has_key = true;
    destination.secrets.add(*key);
    destination.headers.emplace_back("Authorization", "Bearer " + *key);
    return {};
}

Result<void> add_header(Destination& destination, const Header& header, const Environment& environment) {
    const std::string field = "spec.eval.model.headers: " + header.name;
    const std::string name = lower(header.name);
    if (name == "proxy-authorization")
        return fail("BadInput", field + " would go to the server; the proxy's password stands in the proxy's URL");
    for (const auto& [other, value] : destination.headers) {
        if (lower(other) != name) continue;
        return fail("BadInput", field + " is set twice" +
                                    (name == "authorization" && destination.has_key
                                         ? ", by spec.eval.model.apiKeyVariable too; remove one of them"
                                         : "; remove one of them"));
    }
    if (header.variable.empty()) {
        destination.headers.emplace_back(header.name, header.value);
        return {};
    }
    const auto value = header_value(field, header.variable, environment);
    if (!value) return tl::unexpected(value.error());
    destination.secrets.add_header(*value);
    destination.has_key = true;
    destination.headers.emplace_back(header.name, *value);
    return {};
}

Result<void> add_proxy(Destination& destination, const Environment& environment) {
    auto proxy = proxy_for(destination.url, environment);
    if (!proxy) return tl::unexpected(proxy.error());
    destination.proxy = std::move(*proxy);
    if (!destination.proxy) return {};
    destination.secrets.add(destination.proxy->password);
    destination.secrets.add_header(proxy_authorization(*destination.proxy));
    return {};
}

}  // namespace

Result<Destination> read_destination(const Model& model, const Environment& environment) {
    Destination destination;
    auto url = parse_url(model.url);
    if (!url) return tl::unexpected(url.error());
    destination.url = std::move(*url);
    destination.query = query_text(model.query);
    if (auto key = add_key(destination, model, environment); !key) return tl::unexpected(key.error());
    for (const Header& header : model.headers)
        if (auto added = add_header(destination, header, environment); !added) return tl::unexpected(added.error());
    if (model.proxy != Proxy::Environment) return destination;
    if (auto proxy = add_proxy(destination, environment); !proxy) return tl::unexpected(proxy.error());
    return destination;
}

std::string key_in_the_open(const Destination& destination) {
    if (!destination.has_key || destination.url.tls) return "";
    if (destination.proxy)
        return "the key is sent through the proxy " + destination.proxy->host +
               ", which can read it, without encryption; use https";
    if (is_local(destination.url)) return "";
    return "the key is sent to " + destination.url.host + " without encryption; use https";
}

}  // namespace evaljob::openai
