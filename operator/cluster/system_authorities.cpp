#include "operator/cluster/system_authorities.hpp"

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

namespace evaljob::cluster {
namespace {

/// What OpenSSL's variables were; empty while nothing is hidden.
std::map<std::string, std::optional<std::string>>& hidden() {
    static std::map<std::string, std::optional<std::string>> variables;
    return variables;
}

}  // namespace

void hide_system_authorities() {
    if (!hidden().empty()) return;
    for (const char* name : {"SSL_CERT_FILE", "SSL_CERT_DIR"}) {
        const char* value = std::getenv(name);
        hidden()[name] = value ? std::optional<std::string>(value) : std::nullopt;
        ::setenv(name, "/dev/null", 1);
    }
}

void show_system_authorities(boost::process::environment& environment) {
    for (const auto& [name, value] : hidden()) {
        if (value)
            environment[name] = *value;
        else
            environment.erase(name);
    }
}

}  // namespace evaljob::cluster
