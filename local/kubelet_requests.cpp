#include "local/kubelet_requests.hpp"

#include "local/metav1.hpp"

namespace evaljob::local {
namespace {

std::string path_of(const Json& pod) {
    return "/api/v1/namespaces/" + string_at(pod, "metadata", "namespace") + "/pods/" +
           string_at(pod, "metadata", "name");
}

kube::Request patch(const std::string& path, const Json& pod, Json body) {
    body["metadata"]["uid"] = pod.at("metadata").at("uid");  // never a namesake
    return {kube::Verb::Patch, path, {}, "application/merge-patch+json", to_text(body)};
}

}  // namespace

kube::Request status_patch(const Json& pod, const Json& status) {
    return patch(path_of(pod) + "/status", pod, {{"status", status}});
}

kube::Request annotation_patch(const Json& pod, const std::string& name, const Json& value) {
    return patch(path_of(pod), pod, {{"metadata", {{"annotations", {{name, value}}}}}});
}

kube::Request final_removal(const Json& pod) {
    const Json options{{"gracePeriodSeconds", 0}, {"preconditions", {{"uid", pod.at("metadata").at("uid")}}}};
    return {kube::Verb::Delete, path_of(pod), {}, "application/json", to_text(options)};
}

bool send(kube::Transport& transport, const kube::Request& request) {
    const auto response = transport.send(request);
    return response && response->status < 300;
}

}  // namespace evaljob::local
