// Kubeconfig files, as kubectl reads them: which server, and who we are to it. Pure: what they name is read elsewhere.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob::kube {

/// A PEM text, in the configuration itself or in a file, which may be replaced while we run.
struct PemSource {
    std::string text;
    std::string file;  // counts when text is empty
    bool empty() const { return text.empty() && file.empty(); }
};

/// A program that prints a client.authentication.k8s.io ExecCredential.
struct ExecPlugin {
    std::string api_version;
    std::string command;
    std::vector<std::string> args;
    std::map<std::string, std::string> env;  // in addition to ours
    std::string install_hint;
};

struct ClusterAccess {
    std::string server;  // https://host:port
    std::string ns;      // of the context, or of our own Pod; may be empty
    PemSource ca;        // empty: the system's authorities
    PemSource client_certificate;
    PemSource client_key;
    std::string token;
    std::string token_file;  // counts over token
    std::optional<ExecPlugin> exec;
};

/// A kubeconfig file's content, and the folder that relative paths in it start at.
struct Kubeconfig {
    Json content;
    std::string folder;
    std::string path;  // in messages
};

/// `context` empty: the first current-context. Of several files the first that has a name counts, as in $KUBECONFIG.
/// Fails with InvalidKubeconfig, naming file, entry and mend; insecure-skip-tls-verify is refused.
Result<ClusterAccess> access_of(const std::vector<Kubeconfig>& files, const std::string& context);

}  // namespace evaljob::kube
