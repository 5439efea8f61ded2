// Who descends from this process, read from /proc, and an end to them. Linux alone.
#pragma once

#include <sys/types.h>

#include <set>

namespace evaljob::local {

/// Children of this process, the ones that have ended and were not waited for included.
std::set<pid_t> own_children();

/// Kills (SIGKILL) and waits for every descendant of this process, except those in `keep` and what descends from them;
/// returns when none is left. This process must be a child subreaper, so that orphans become its own children.
void end_descendants(const std::set<pid_t>& keep);

}  // namespace evaljob::local
