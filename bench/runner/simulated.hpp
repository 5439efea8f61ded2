// Makespans over their bound, in virtual time.
#pragma once

#include <cstddef>
#include <string>

namespace evaljob::bench {

/// A table in Markdown: the coordinator as it is, ranks that take exactly as long as they should.
std::string simulated_makespans(std::size_t most_ranks);

}  // namespace evaljob::bench
