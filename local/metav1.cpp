#include "local/metav1.hpp"

#include <ctime>

#include "api/json_read.hpp"

namespace evaljob::local {

tl::unexpected<Refusal> refuse(int code, std::string reason, std::string message) {
    return tl::unexpected<Refusal>(Refusal{code, std::move(reason), std::move(message)});
}

tl::unexpected<Refusal> not_found(const kube::Resource& resource, const std::string& name) {
    return refuse(404, "NotFound", qualified(resource) + " \"" + name + "\" not found");
}

tl::unexpected<Refusal> conflict(const kube::Resource& resource, const std::string& name, const std::string& why) {
    return refuse(409, "Conflict",
                  "Operation cannot be fulfilled on " + qualified(resource) + " \"" + name + "\": " + why);
}

tl::unexpected<Refusal> invalid(const kube::Resource& resource, const std::string& name, const std::string& why) {
    const auto kind = resource.group.empty() ? resource.kind : resource.kind + "." + resource.group;
    return refuse(422, "Invalid", kind + " \"" + name + "\" is invalid: " + why);
}

Json failure_status(const Refusal& refusal) {
    return {{"kind", "Status"},    {"apiVersion", "v1"},       {"metadata", Json::object()},
            {"status", "Failure"}, {"reason", refusal.reason}, {"message", refusal.message},
            {"code", refusal.code}};
}

kube::Response failure_response(const Refusal& refusal) { return {refusal.code, to_text(failure_status(refusal))}; }

std::string qualified(const kube::Resource& resource) {
    return resource.group.empty() ? resource.plural : resource.plural + "." + resource.group;
}

std::string api_version_of(const kube::Resource& resource) {
    return resource.group.empty() ? resource.version : resource.group + "/" + resource.version;
}

std::string rfc3339(std::int64_t unix_seconds) {
    const std::time_t time = unix_seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[32];
    const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text, size};
}

std::string to_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string valid_utf8(const std::string& text) { return Json::parse(to_text(Json(text))).get<std::string>(); }

std::string string_at(const Json& object, const char* first, const char* second) {
    return text_of(member(object, first), second);
}

}  // namespace evaljob::local
