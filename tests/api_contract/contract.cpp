#include "tests/api_contract/contract.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace evaljob::test {
namespace {

constexpr std::chrono::seconds patience{60};

Json with(Json object, const std::string& name, const Json& more) {
    object["metadata"]["name"] = name;
    object.merge_patch(more);
    return object;
}

}  // namespace

ContractReply Contract::call(kube::Verb verb, const std::string& path, const std::string& body, Query query,
                             const std::string& type) {
    const auto response = transport_.send({verb, path, std::move(query), type, body});
    if (!response) {
        ADD_FAILURE() << response.error().message;
        return {0, Json::object()};
    }
    return {response->status, Json::parse(response->body)};
}

bool Contract::eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

ContractWatch::ContractWatch(kube::Transport& transport, const std::string& path, Query query) {
    query["watch"] = "true";
    auto opened = transport.open({kube::Verb::Get, path, std::move(query), {}, {}});
    if (opened)
        stream_ = std::move(*opened);
    else
        refused = opened.error();
}

Json ContractWatch::next() {
    const Json nothing = {{"type", "ERROR"}, {"object", {{"code", 0}}}};
    if (!stream_) return nothing;
    std::size_t end = 0;
    while ((end = text_.find('\n')) == std::string::npos) {
        const auto bytes = stream_->read();
        if (!bytes || bytes->empty()) return nothing;
        text_ += *bytes;
    }
    const Json event = Json::parse(text_.substr(0, end));
    text_.erase(0, end + 1);
    return event;
}

std::vector<std::string> ContractWatch::next(int count) {
    std::vector<std::string> said;
    for (int i = 0; i < count; ++i) {
        const Json event = next();
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

Json a_pod(const std::string& name, const Json& more) {
    return with(
        {{"apiVersion", "v1"},
         {"kind", "Pod"},
         {"spec",
          {{"nodeName", "contract-node"}, {"containers", Json::array({{{"name", "runner"}, {"image", "image"}}})}}}},
        name, more);
}

Json an_evaljob(const std::string& name, const Json& more) {
    return with({{"apiVersion", "evaljob.dev/v1alpha1"},
                 {"kind", "EvalJob"},
                 {"spec",
                  {{"numNodes", 2},
                   {"suspend", true},
                   {"storage", {{"claimName", "shared"}}},
                   {"eval",
                    {{"model", {{"format", "TorchScript"}, {"path", "model.pt"}}},
                     {"datasets", Json::array({{{"name", "fashion"},
                                                {"format", "IDX"},
                                                {"path", "images.gz"},
                                                {"labelsPath", "labels.gz"},
                                                {"task", {{"type", "Classification"}}}}})}}}}}},
                name, more);
}

Json a_secret(const std::string& name, const Json& more) {
    return with({{"apiVersion", "v1"}, {"kind", "Secret"}}, name, more);
}

Json owner_of(const std::string& kind, const std::string& api_version, const std::string& name,
              const std::string& uid) {
    return {{"metadata",
             {{"ownerReferences",
               Json::array({{{"apiVersion", api_version}, {"kind", kind}, {"name", name}, {"uid", uid}}})}}}};
}

std::vector<ContractRow> contract_rows() {
    std::vector<ContractRow> all = contract_rows_of_writes();
    for (const auto& more : {contract_rows_of_refusals(), contract_rows_of_watches()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

}  // namespace evaljob::test
