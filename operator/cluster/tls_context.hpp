// What a TLS connection to the API server may use: the cluster's authority alone, our certificate, TLS 1.2 or newer.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include "operator/cluster/credentials.hpp"

namespace evaljob::cluster {

/// Throws std::runtime_error when a PEM text cannot be used.
void restrict_tls(boost::asio::ssl::context& context, const TlsFiles& tls);

/// Whether restrict_tls would succeed. Fails with TlsFailed, naming which.
Result<void> check_tls(const TlsFiles& tls);

}  // namespace evaljob::cluster
