#include "api/evaljob.hpp"

#include <algorithm>

#include "api/argument_limits.hpp"
#include "api/evaljob_read.hpp"
#include "api/json_read.hpp"
#include "api/printable.hpp"
#include "api/run_spec.hpp"
#include "api/schema_rows.hpp"
#include "api/validate.hpp"

namespace evaljob {
namespace {

constexpr std::size_t most_violations = 50;         // shown; the rest is counted
constexpr std::size_t most_spec_bytes = 1U << 20U;  // etcd takes no larger object either
constexpr std::size_t max_name_length = 63;

void check_constant(const Json& object, const char* key, const char* expected, schema::Violations& violations) {
    const Json& value = member(object, key);
    if (value == Json(expected)) return;
    violations.push_back(std::string(key) + ": must be " + expected + ", is " +
                         (value.is_null() ? "absent" : schema::kind_of(value)));
}

void check_texts(const Json& texts, const std::string& path, schema::Violations& violations) {
    if (texts.is_null()) return;
    if (!texts.is_object()) {
        violations.push_back(path + ": must be an object, is " + schema::kind_of(texts));
        return;
    }
    for (const auto& [key, value] : texts.items()) {
        if (!value.is_string()) {
            violations.push_back(path + "." + key + ": must be a string, is " + schema::kind_of(value));
        }
    }
}

/// metadata.name decides the names of all children. True when it has the form that the rules over it need.
bool check_name(const Json& metadata, schema::Violations& violations) {
    const Json& name = member(metadata, "name");
    if (name.is_null()) {
        violations.push_back("metadata.name: required");
        return false;
    }
    if (!name.is_string()) {
        violations.push_back("metadata.name: must be a string, is " + schema::kind_of(name));
        return false;
    }
    const std::string text = name.get<std::string>();
    if (text.size() <= max_name_length && schema::has_form(schema::dns_label, text)) return true;
    if (text.size() > max_name_length) {
        violations.push_back("metadata.name: must have at most 63 characters, has " + std::to_string(text.size()));
    } else {
        violations.push_back(std::string("metadata.name: must be ") + schema::dns_label.words + ", is " +
                             schema::kind_of(name));
    }
    return false;
}

void check_metadata(const Json& object, schema::Violations& violations) {
    const Json& metadata = member(object, "metadata");
    if (!metadata.is_object()) {
        violations.push_back(metadata.is_null() ? "metadata: required; it holds the name"
                                                : "metadata: must be an object, is " + schema::kind_of(metadata));
        return;
    }
    if (check_name(metadata, violations)) {
        for (const schema::Rule& rule : schema::object_rules()) {
            if (rule.check != nullptr) rule.check(object, "", violations);
        }
    }
    for (const char* key : {"labels", "annotations"}) {
        check_texts(member(metadata, key), std::string("metadata.") + key, violations);
    }
}

void check_spec(const Json& object, schema::Violations& violations) {
    const Json& spec = member(object, "spec");
    if (spec.is_null()) {
        violations.push_back("spec: required");
        return;
    }
    const std::size_t bytes = spec.dump(-1, ' ', false, Json::error_handler_t::replace).size();
    if (bytes > most_spec_bytes) {
        violations.push_back("spec: must be at most 1048576 bytes of JSON, is " + std::to_string(bytes));
        return;
    }
    schema::check(schema::spec_tree(), spec, "spec", violations);
}

schema::Violations violations_of(const Json& object) {
    schema::Violations violations;
    if (!object.is_object()) {
        violations.push_back("the EvalJob: must be an object, is " + schema::kind_of(object));
        return violations;
    }
    check_constant(object, "apiVersion", api_version, violations);
    check_constant(object, "kind", kind, violations);
    check_metadata(object, violations);
    check_spec(object, violations);
    const std::vector<std::string> known{"apiVersion", "kind", "metadata", "spec", "status"};
    for (const auto& [key, value] : object.items()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            violations.push_back(key + ": " + schema::unknown_field(key, {"apiVersion", "kind", "metadata", "spec"}));
        }
    }
    return violations;
}

Error error_of(const schema::Violations& violations) {
    std::string message;
    for (std::size_t i = 0; i < std::min(violations.size(), most_violations); ++i) {
        message += (i == 0 ? "" : "\n") + printable(violations[i]);  // a key may hold another line
    }
    if (violations.size() > most_violations) {
        message += "\n… and " + std::to_string(violations.size() - most_violations) + " more";
    }
    return Error{"InvalidField", std::move(message), false};
}

}  // namespace

Result<EvalJob> parse_evaljob(const Json& object) {
    if (const auto violations = violations_of(object); !violations.empty()) {
        return tl::unexpected<Error>(error_of(violations));
    }
    EvalJob job;
    job.meta = read_metadata(object["metadata"]);
    job.spec = read_spec(object["spec"], job.meta.name);
    job.status = read_status(member(object, "status"));
    // No bound of a field says it, so the API server cannot.
    for (std::string what : {too_long_argument(job.spec), run_spec::too_long(job.spec)})
        if (!what.empty()) return tl::unexpected<Error>(error_of({std::move(what)}));
    return job;
}

Result<void> check_update(const EvalJobSpec& before, const EvalJobSpec& after) {
    const Json was = spec_to_json(before);
    const Json is = spec_to_json(after);
    schema::Violations violations;
    for (const char* key : schema::immutable_members())
        if (member(was, key) != member(is, key))
            violations.push_back(std::string("spec.") + key + ": " + schema::immutable_words);
    if (!after.eval && before.num_nodes != after.num_nodes)
        violations.push_back("spec.numNodes: can be changed with eval alone, whose samples are leased");
    else if (!before.scheduling.queue_name.empty() && before.num_nodes != after.num_nodes)
        violations.push_back(std::string("spec.numNodes: ") + schema::queue_words);
    if (!violations.empty()) return tl::unexpected<Error>(error_of(violations));
    return {};
}

Result<Eval> parse_eval(const Json& object, const std::string& path) {
    schema::Violations violations;
    schema::check(*schema::find(schema::spec_tree(), "eval"), object, path, violations);
    if (!violations.empty()) return tl::unexpected<Error>(error_of(violations));
    return read_eval(object);
}

Result<Dataset> parse_expect(const Json& object, const std::string& path) {
    schema::Violations violations;
    schema::check(*schema::find(schema::spec_tree(), "merge.expect"), object, path, violations);
    if (!violations.empty()) return tl::unexpected<Error>(error_of(violations));
    return read_expect(object);
}

Result<Scorer> parse_scorer(const Json& object, const std::string& path) {
    schema::Violations violations;
    schema::check(*schema::find(schema::spec_tree(), "eval.datasets[].task.scorer"), object, path, violations);
    if (!violations.empty()) return tl::unexpected<Error>(error_of(violations));
    return read_scorer(object);
}

}  // namespace evaljob
