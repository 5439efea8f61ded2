// What our code takes for granted of an API server. The same rows run on the one in memory, on the same behind HTTPS,
// and on a real one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "operator/kube/transport.hpp"
#include "operator/kube/watch_decoder.hpp"

namespace evaljob::test {

using Query = std::map<std::string, std::string>;

struct ContractReply {
    int status = 0;
    Json body;
    std::string reason() const { return body.value("reason", ""); }
    std::string message() const { return body.value("message", ""); }
    std::string version() const { return meta("resourceVersion").get<std::string>(); }
    std::string name() const { return meta("name").get<std::string>(); }
    std::string uid() const { return meta("uid").get<std::string>(); }
    const Json& meta(const char* field) const { return body.at("metadata").at(field); }
};

/// An open watch; what it says is waited for.
class ContractWatch {
public:
    ContractWatch(kube::Transport& transport, const std::string& path, Query query);

    /// The next event but bookmarks that nobody asked for. Its type is ERROR and its code 0 when nothing comes.
    Json next();
    /// "ADDED a", "ERROR 410", "BOOKMARK"
    std::vector<std::string> next(int count);

    std::optional<Error> refused;

private:
    std::unique_ptr<kube::ByteStream> stream_;
    std::string text_;
};

/// The server under test, spelled as on the wire, so that the rows depend on no builder of requests.
class Contract {
public:
    /// Both namespaces are empty.
    Contract(kube::Transport& transport, std::string ns, std::string other_ns)
        : ns(std::move(ns)), other_ns(std::move(other_ns)), transport_(transport) {}

    ContractReply post(const std::string& path, const Json& body) { return call(kube::Verb::Post, path, body.dump()); }
    ContractReply get(const std::string& path, Query query = {}) {
        return call(kube::Verb::Get, path, "", std::move(query));
    }
    ContractReply put(const std::string& path, const Json& body) { return call(kube::Verb::Put, path, body.dump()); }
    ContractReply patch(const std::string& path, const Json& body) {
        return call(kube::Verb::Patch, path, body.dump(), {}, "application/merge-patch+json");
    }
    ContractReply remove(const std::string& path, Json options = Json::object()) {
        options.update({{"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"propagationPolicy", "Background"}});
        return call(kube::Verb::Delete, path, options.dump());
    }
    ContractReply call(kube::Verb verb, const std::string& path, const std::string& body, Query query = {},
                       const std::string& type = "application/json");
    ContractWatch watch(const std::string& path, Query query = {}) { return {transport_, path, std::move(query)}; }

    /// Controllers of a real cluster take their time.
    static bool eventually(const std::function<bool()>& holds);

    std::string pods() const { return "/api/v1/namespaces/" + ns + "/pods"; }
    std::string secrets() const { return "/api/v1/namespaces/" + ns + "/secrets"; }
    std::string evaljobs() const { return "/apis/evaljob.dev/v1alpha1/namespaces/" + ns + "/evaljobs"; }

    const std::string ns;
    const std::string other_ns;

private:
    kube::Transport& transport_;
};

struct ContractRow {
    std::string name;
    std::function<void(Contract&)> body;
};
inline void PrintTo(const ContractRow& row, std::ostream* out) { *out << row.name; }

std::vector<ContractRow> contract_rows();
std::vector<ContractRow> contract_rows_of_writes();
std::vector<ContractRow> contract_rows_of_refusals();
std::vector<ContractRow> contract_rows_of_watches();

/// Objects that a real API server takes.
Json a_pod(const std::string& name, const Json& more = Json::object());
Json an_evaljob(const std::string& name, const Json& more = Json::object());
Json a_secret(const std::string& name, const Json& more = Json::object());
Json owner_of(const std::string& kind, const std::string& api_version, const std::string& name, const std::string& uid);

}  // namespace evaljob::test
