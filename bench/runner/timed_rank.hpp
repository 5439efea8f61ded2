// A rank as the runner has it, with an engine of the benchmark's own: session, leases, shard log, reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "api/contract.hpp"
#include "api/manifest.hpp"

namespace evaljob::bench {

/// Rank `rank` of `ranks`, each a node of its own, on this machine; all write below `folder`.
RankContract contract_of(std::size_t rank, std::size_t ranks, std::uint16_t port, const std::string& folder);

/// Evaluates what it is leased until all is done; the exit status. `compute` takes the number of a batch. `restart`:
/// how often this rank was started again.
int work_as_rank(const RankContract& contract, const Manifest& manifest, std::function<void(std::uint64_t)> compute,
                 int restart = 0);

}  // namespace evaljob::bench
