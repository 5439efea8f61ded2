// A Transport that keeps objects by path and tells its watches of every change: as little of an API server as the
// reconciler and the controller need. Any request can be made to fail once.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::testing {

class FakeApi : public kube::Transport {
public:
    Result<kube::Response> send(const kube::Request& request) override;
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override;

    /// Creates or replaces, as a person or a kubelet would; tells the watches.
    void put(const std::string& path, Json object);
    void erase(const std::string& path);
    Json* find(const std::string& path);
    void end_watches();

    std::map<std::string, Json> objects;                                         // by path
    std::vector<std::string> writes;                                             // "POST /api/…", in order
    std::function<std::optional<kube::Response>(const kube::Request&)> instead;  // answers in the server's place

private:
    struct Watch {
        std::string path;
        std::deque<std::string> lines;
        bool ended = false;
    };
    class Stream;

    kube::Response create(const kube::Request& request);
    kube::Response patch(const kube::Request& request);
    kube::Response list(const std::string& path);
    void tell(const char* type, const std::string& path, const Json& object);

    int version_ = 0;
    std::vector<std::shared_ptr<Watch>> watches_;
};

}  // namespace evaljob::testing
