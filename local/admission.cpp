#include "local/admission.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "api/evaljob.hpp"

namespace evaljob::local {
namespace {

using Check = Result<void>;

tl::unexpected<Error> must(const std::string& path, const std::string& what) {
    return fail("InvalidField", path + ": must be " + what);
}

const Json* find(const Json& object, const char* field) {
    const auto found = object.find(field);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

Check check_texts(const Json& object, const std::string& path, std::initializer_list<const char*> fields) {
    for (const auto* field : fields) {
        if (const auto* value = find(object, field); value && !value->is_string())
            return must(path + "." + field, "a string");
    }
    return {};
}

Check check_variable(const Json& variable, const std::string& path) {
    if (!variable.is_object() || !variable.contains("name") || !variable.at("name").is_string())
        return must(path, "an object with a name");
    const auto name = variable.at("name").get<std::string>();
    if (name.empty() || name.find('=') != std::string::npos)
        return must(path + ".name", "a variable's name, without '='");
    if (auto texts = check_texts(variable, path, {"value"}); !texts) return texts;
    const auto* from = find(variable, "valueFrom");
    if (!from) return {};
    if (!from->is_object()) return must(path + ".valueFrom", "an object");
    for (const auto& [source, reference] : from->items()) {
        const auto where = path + ".valueFrom." + source;
        if (!reference.is_object()) return must(where, "an object");
        if (auto texts = check_texts(reference, where, {"name", "key", "fieldPath"}); !texts) return texts;
        if (const auto* optional = find(reference, "optional"); optional && !optional->is_boolean())
            return must(where + ".optional", "true or false");
    }
    return {};
}

Check check_list(const Json& object, const char* field, const std::string& path,
                 Check (*check)(const Json&, const std::string&)) {
    const auto* list = find(object, field);
    if (!list) return {};
    if (!list->is_array()) return must(path + "." + field, "a list");
    for (std::size_t i = 0; i < list->size(); ++i) {
        if (auto sound = check((*list)[i], path + "." + field + "[" + std::to_string(i) + "]"); !sound) return sound;
    }
    return {};
}

Check check_text(const Json& value, const std::string& path) {
    if (!value.is_string()) return must(path, "a string");
    return {};
}

Check check_object(const Json& value, const std::string& path) {
    if (!value.is_object()) return must(path, "an object");
    return {};
}

Check check_container(const Json& container, const std::string& path) {
    if (!container.is_object()) return must(path, "an object");
    if (auto sound =
            check_texts(container, path, {"name", "image", "workingDir", "terminationMessagePolicy", "restartPolicy"});
        !sound)
        return sound;
    const auto name = container.value("name", "");
    const bool plain = std::all_of(name.begin(), name.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
    if (name.empty() || name.size() > 63 || !plain) return must(path + ".name", "lower-case letters, digits and '-'");
    for (const auto* field : {"command", "args"}) {
        if (auto sound = check_list(container, field, path, check_text); !sound) return sound;
    }
    if (auto sound = check_list(container, "env", path, check_variable); !sound) return sound;
    return check_list(container, "envFrom", path, check_object);
}

Check check_names_differ(const Json& spec) {
    std::set<std::string> names;
    for (const auto* list : {"initContainers", "containers"}) {
        const auto* containers = find(spec, list);
        if (!containers) continue;
        for (const auto& container : *containers) {
            const auto name = container.at("name").get<std::string>();
            if (!names.insert(name).second)
                return fail("InvalidField", "spec." + std::string(list) + ": two are named " + name);
        }
    }
    return {};
}

Check check_spec(const Json& spec) {
    if (auto sound = check_texts(spec, "spec", {"hostname", "subdomain", "restartPolicy"}); !sound) return sound;
    const auto* grace = find(spec, "terminationGracePeriodSeconds");
    if (grace && (!grace->is_number_integer() || grace->get<std::int64_t>() < 0))
        return must("spec.terminationGracePeriodSeconds", "0 or more seconds");
    for (const auto* list : {"initContainers", "containers"}) {
        if (auto sound = check_list(spec, list, "spec", check_container); !sound) return sound;
    }
    const auto* containers = find(spec, "containers");
    if (!containers || containers->empty()) return must("spec.containers", "a list of at least one container");
    return check_names_differ(spec);
}

/// A null field is an absent one, as for the real API server; what reads the object later need not know.
Json without_nulls(const Json& value) {
    if (!value.is_structured()) return value;
    Json result = value.is_array() ? Json::array() : Json::object();
    for (const auto& [key, part] : value.items()) {
        if (value.is_array())
            result.push_back(without_nulls(part));
        else if (!part.is_null())
            result[key] = without_nulls(part);
    }
    return result;
}

}  // namespace

Result<Json> admit_evaljob(const Json& object, const Json* old) {
    const auto job = parse_evaljob(object);
    if (!job) return tl::unexpected(job.error());
    if (old) {
        // What stands there was admitted by these rules, or by older ones: then there is nothing to compare with.
        const auto before = parse_evaljob(*old);
        if (const auto checked = before ? check_update(before->spec, job->spec) : Result<void>(); !checked)
            return tl::unexpected(checked.error());
    }
    Json defaulted = object;
    defaulted["spec"] = spec_to_json(job->spec);
    return defaulted;
}

Result<Json> admit_pod(const Json& object, const Json*) {
    const auto* spec = find(object, "spec");
    if (!spec || !spec->is_object()) return must("spec", "an object");
    Json pod = object;
    pod["spec"] = without_nulls(*spec);
    if (const auto sound = check_spec(pod.at("spec")); !sound) return tl::unexpected(sound.error());
    return pod;
}

}  // namespace evaljob::local
