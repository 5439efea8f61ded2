#include "local/secret_files.hpp"

#include "api/base64.hpp"
#include "api/json_read.hpp"
#include "api/run_spec.hpp"
#include "local/metav1.hpp"

namespace evaljob::local {
namespace {

const Json* find(const Json& list, const char* key, const std::string& value) {
    if (!list.is_array()) return nullptr;
    for (const Json& item : list)
        if (text_of(item, key) == value) return &item;
    return nullptr;
}

/// By the names that they have in the Secret; `items` may leave some out, and call them otherwise.
std::map<std::string, std::string> file_names(const Json& volume, const Json& secret) {
    std::map<std::string, std::string> names;
    const Json& items = member(volume, "items");
    if (!items.is_array()) {
        const Json& all = member(secret, "data");
        for (auto entry = all.begin(); entry != all.end(); ++entry) names[entry.key()] = entry.key();
        return names;
    }
    for (const Json& item : items) names[text_of(item, "key")] = text_of(item, "path");
    return names;
}

}  // namespace

bool is_run_volume(const Json& item) { return text_of(item, "name") == run_spec::volume; }

Result<std::optional<std::map<std::string, std::string>>> secret_files(
    const Json& pod, const Json& container, const std::function<std::optional<Json>(const std::string& name)>& secret) {
    const Json* mount = find(member(container, "volumeMounts"), "mountPath", run_spec::mount_path);
    const Json* named = mount ? find(member(pod.at("spec"), "volumes"), "name", text_of(*mount, "name")) : nullptr;
    const Json& volume = named ? member(*named, "secret") : member(Json(), "");
    if (!volume.is_object()) return std::nullopt;
    const std::string name = text_of(volume, "secretName");
    const std::string what = "volume " + text_of(*mount, "name") + ": secret \"" + name + "\"";
    const auto object = secret(name);
    if (!object) return fail("CreateContainerConfigError", what + " not found", true);
    std::map<std::string, std::string> files;
    for (const auto& [key, file] : file_names(volume, *object)) {
        if (!member(*object, "data").contains(key))
            return fail("CreateContainerConfigError", what + " has no key \"" + key + "\"", true);
        auto content = base64_decode(string_at(*object, "data", key.c_str()));
        if (!content) return fail("CreateContainerConfigError", what + " is no base64 at \"" + key + "\"");
        files[file] = std::move(*content);
    }
    return files;
}

}  // namespace evaljob::local
