// The evaluation that a simulation runs: small, and with a model that is a formula.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/manifest.hpp"
#include "api/record.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob::simulation {

struct Shape {
    std::uint64_t samples = 12;
    std::int32_t batch_size = 3;
    bool operator<(const Shape& other) const {
        return std::pair(samples, batch_size) < std::pair(other.samples, other.batch_size);
    }
};

inline constexpr const char* shared_folder = "/volume/job";

Manifest manifest_of(const Shape& shape);
std::vector<Record> records_of(const Manifest& manifest, const Lease& lease);

/// Who is who in one run of the job; a resumed one has another id, another token, and perhaps more or fewer ranks.
struct RunContract {
    int number = 1;
    std::int32_t ranks = 2;

    std::string id() const { return "run-" + std::to_string(number); }
    std::string token() const { return "token-" + std::to_string(number); }
};

/// Every rank is a node of its own.
Hello hello_of(const RunContract& run, std::int32_t rank, std::int32_t attempt, std::int32_t restart);

}  // namespace evaljob::simulation
