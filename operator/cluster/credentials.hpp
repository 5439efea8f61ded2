// Who we are to the API server, at this moment: files and tokens that are replaced while we run are read again.
// Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "operator/kube/kubeconfig.hpp"
#include "operator/reconciler.hpp"

namespace evaljob::cluster {

/// PEM texts; what is empty is not used.
struct TlsFiles {
    std::string ca;
    std::string certificate;
    std::string key;
    bool operator==(const TlsFiles&) const = default;
};

class Credentials {
public:
    Credentials(kube::ClusterAccess access, Clock clock);

    /// Of the Authorization header; empty: none. A token file is read at most once a minute, a program is run 10 s
    /// before what it gave expires; what was good last is kept when that fails.
    Result<std::string> token();

    /// The server answered 401 to this one: it is not good any more. One that has been replaced meanwhile stays.
    void refused(const std::string& token);

    /// As the files stand, read at most once in 10 s, or as token() got them from a program. Fails only if they never
    /// could be read.
    Result<TlsFiles> tls();

private:
    struct Dated {
        std::string token;
        UnixSeconds until = 0;  // good without looking again
    };

    Result<Dated> fetch_token();
    Result<Dated> run_plugin();
    Result<TlsFiles> read_tls() const;

    kube::ClusterAccess access_;
    Clock clock_;
    std::mutex mutex_;
    std::optional<Dated> token_;
    std::optional<TlsFiles> tls_;
    TlsFiles of_plugin_;
    UnixSeconds tls_until_ = 0;
};

}  // namespace evaljob::cluster
