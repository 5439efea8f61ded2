// Literal loopback addresses for the hosts of a machine's jobs, in place of DNS. Linux answers on all of 127.0.0.0/8.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "api/result.hpp"

namespace evaljob::local {

/// Gives each host an address of its own, the same each time it is asked for: a replaced Pod keeps its hostname's.
class PodAddresses {
public:
    /// `seed` (the program's pid) keeps two programs on one machine apart.
    explicit PodAddresses(std::uint32_t seed) : seed_(seed) {}

    std::string address_of(const std::string& host);
    /// The same for text that looks like HOST.SUBDOMAIN.NS.svc (names::host_fqdn); nothing for all other text.
    std::optional<std::string> address_of_fqdn(const std::string& text);

private:
    std::uint32_t seed_;
    std::map<std::string, std::uint32_t> hosts_;
};

/// A port p for which p and p + 1 are free on this address now; from `first` up.
Result<std::uint16_t> free_port(const std::string& address, std::uint16_t first = 29500);

/// The same on all addresses of the machine, for programs that listen on all of them, as torchrun does. It listens
/// seconds later, so `seed` (the program's pid) keeps two such programs apart in the meantime.
Result<std::uint16_t> free_port_everywhere(std::uint32_t seed);

}  // namespace evaljob::local
