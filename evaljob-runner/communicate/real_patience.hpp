// Patience with the machine's own clock.
#pragma once

#include "evaljob-runner/communicate/bounded.hpp"

namespace evaljob {

/// Asks again at once for a while, and then every millisecond.
Patience real_patience(Milliseconds limit);

}  // namespace evaljob
