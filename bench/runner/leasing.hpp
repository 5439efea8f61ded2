// How many batches a second the coordinator leases, and how many ranks it serves.
#pragma once

#include <string>

namespace evaljob::bench {

/// Tables in Markdown.
std::string leasing();

}  // namespace evaljob::bench
