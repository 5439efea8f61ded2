// The system's certificate authorities: cpprest reads all of them for every connection (some 140, 30 ms of CPU),
// although restrict_tls then replaces them by the cluster's own.
#pragma once

#include <boost/process/environment.hpp>

namespace evaljob::cluster {

/// This process finds none from now on. Only where the cluster has an authority of its own, and before there are
/// threads.
void hide_system_authorities();

/// Programs that we start find them as if nothing had been hidden.
void show_system_authorities(boost::process::environment& environment);

}  // namespace evaljob::cluster
