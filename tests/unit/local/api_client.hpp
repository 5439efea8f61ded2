// Requests against the API server in memory, spelled as on the wire, so that the tests depend on no request builder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "local/memory_api.hpp"

namespace evaljob::local {

struct Reply {
    int status = 0;
    Json body;
    std::string reason() const { return body.value("reason", ""); }
    std::string message() const { return body.value("message", ""); }
    std::string version() const { return body.at("metadata").at("resourceVersion").get<std::string>(); }
};

using Query = std::map<std::string, std::string>;

class ApiClient {
public:
    explicit ApiClient(MemoryApi& api) : api_(api) {}

    Reply post(const std::string& path, const Json& body) { return call(kube::Verb::Post, path, body.dump()); }
    Reply get(const std::string& path, Query query = {}) { return call(kube::Verb::Get, path, "", std::move(query)); }
    Reply put(const std::string& path, const Json& body) { return call(kube::Verb::Put, path, body.dump()); }
    Reply patch(const std::string& path, const Json& body) {
        return call(kube::Verb::Patch, path, body.dump(), {}, "application/merge-patch+json");
    }
    Reply remove(const std::string& path, const Json& options = Json::object()) {
        return call(kube::Verb::Delete, path, options.dump());
    }
    Reply call(kube::Verb verb, const std::string& path, const std::string& body, Query query = {},
               const std::string& type = "application/json") {
        auto response = api_.send({verb, path, std::move(query), type, body});
        return {response.value().status, Json::parse(response.value().body)};
    }

private:
    MemoryApi& api_;
};

/// What a watch has to say by now, as "ADDED a", "MODIFIED a", "ERROR 410", "BOOKMARK", …
class Watch {
public:
    Watch(MemoryApi& api, const std::string& path, Query query = {}) {
        query["watch"] = "true";
        auto opened = api.open({kube::Verb::Get, path, std::move(query), {}, {}});
        if (opened)
            stream_ = std::move(*opened);
        else
            refused = opened.error();
    }

    std::vector<std::string> events() {
        std::vector<std::string> said;
        for (const auto& event : read()) {
            const auto type = event.at("type").get<std::string>();
            const auto& object = event.at("object");
            if (type == "ERROR")
                said.push_back(type + " " + std::to_string(object.at("code").get<int>()));
            else if (type == "BOOKMARK")
                said.push_back(type);
            else
                said.push_back(type + " " + object.at("metadata").at("name").get<std::string>());
        }
        return said;
    }

    std::vector<Json> read() {
        std::string text;
        for (auto bytes = stream_->read(); bytes && !bytes->empty(); bytes = stream_->read()) text += *bytes;
        std::vector<Json> events;
        std::size_t start = 0;
        for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', start = end + 1))
            events.push_back(Json::parse(text.substr(start, end - start)));
        return events;
    }

    bool pending() const { return stream_->pending(); }
    std::optional<Error> refused;

private:
    std::unique_ptr<kube::ByteStream> stream_;
};

inline const std::string pods_path = "/api/v1/namespaces/default/pods";
inline const std::string secrets_path = "/api/v1/namespaces/default/secrets";
inline const std::string jobs_path = "/apis/batch/v1/namespaces/default/jobs";
inline const std::string evaljobs_path = "/apis/evaljob.dev/v1alpha1/namespaces/default/evaljobs";

inline Json named(const std::string& name, Json more = Json::object()) {
    more["metadata"]["name"] = name;
    return more;
}

inline Json owned(const std::string& name, const std::string& owner_uid) {
    return {{"metadata", {{"name", name}, {"ownerReferences", {{{"uid", owner_uid}, {"controller", true}}}}}}};
}

}  // namespace evaljob::local
