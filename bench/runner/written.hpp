// What durability costs: bytes and fsyncs, and what a crash costs, by the number of samples that share a commit.
#pragma once

#include <string>

namespace evaljob::bench {

/// A table in Markdown. Everything lies below the current folder, which decides the disk.
std::string written(int kills);

}  // namespace evaljob::bench
