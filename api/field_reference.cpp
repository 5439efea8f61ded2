#include <sstream>

#include "api/contract.hpp"
#include "api/crd.hpp"
#include "api/schema.hpp"

namespace evaljob {
namespace {

using schema::Field;
using schema::Type;

const char* type_name(Type type) {
    switch (type) {
        case Type::Object:
            return "object";
        case Type::Array:
            return "list";
        case Type::String:
            return "string";
        case Type::Integer:
            return "integer";
        case Type::Boolean:
            return "boolean";
        case Type::StringMap:
            return "map of strings";
        case Type::IntegerMap:
            return "map of integers";
    }
    return "";
}

std::string in_cell(const std::string& text) {
    std::string cell;
    for (const char c : text) cell += c == '|' ? "\\|" : std::string(1, c);
    return cell;
}

template <class Number>
std::string bounds(const std::optional<Number>& low, const std::optional<Number>& high, const char* unit) {
    if (low && high) return std::to_string(*low) + " to " + std::to_string(*high) + unit;
    if (low) return "at least " + std::to_string(*low) + unit;
    if (high) return "at most " + std::to_string(*high) + unit;
    return {};
}

std::string limits(const Field& field) {
    std::string all;
    const auto add = [&all](const std::string& part) {
        if (!part.empty()) all += (all.empty() ? "" : "; ") + part;
    };
    for (const char* value : field.values) all += std::string(all.empty() ? "" : ", ") + "`" + value + "`";
    add(bounds(field.minimum, field.maximum, ""));
    if (field.form != nullptr) add(field.form->words);
    const bool is_exact = field.form != nullptr && field.max_length == std::size_t{64};
    if (!is_exact) add(bounds(field.min_length, field.max_length, " characters"));
    add(bounds(field.min_items, field.max_items, field.type == Type::Array ? " items" : " entries"));
    if (field.key != nullptr) add(std::string("no two with one `") + field.key + "`");
    if (field.distinct) add("no item twice");
    return all;
}

std::string fallback(const Field& field) {
    if (field.required) return "**required**";
    if (field.fallback_words != nullptr) return field.fallback_words;
    if (field.fallback == nullptr || std::string(field.fallback) == "{}") return "";
    return std::string("`") + field.fallback + "`";
}

void write_table(std::ostringstream& out, const std::vector<Field>& fields) {
    out << "| field | type | default | limits | |\n|---|---|---|---|---|\n";
    for (const Field& field : fields) {
        if (field.later || field.owned || field.taken != nullptr) continue;
        out << "| `" << field.path << "` | " << type_name(field.type) << " | " << in_cell(fallback(field)) << " | "
            << in_cell(limits(field)) << " | " << in_cell(field.text) << " |\n";
    }
}

void write_refused(std::ostringstream& out) {
    out << "\n## Not supported yet\n\n"
           "These are part of the design. Until they work they are refused, never accepted and ignored.\n\n";
    for (const Field& field : schema::spec_fields()) {
        if (field.later) out << "- `" << field.path << "`\n";
    }
    out << "\n## Set by the operator\n\nA template that sets one of these is refused.\n\n";
    for (const Field& field : schema::spec_fields()) {
        if (field.owned) out << "- `" << field.path << "`\n";
    }
    out << "- labels below `evaljob.dev/`\n"
           "- in `env` of any container or init container:";
    const char* separator = " ";
    for (const std::string_view name : reserved_variables()) {
        out << separator << '`' << name << '`';
        separator = ", ";
    }
    out << "\n";
}

}  // namespace

std::string field_reference() {
    std::ostringstream out;
    out << "# EvalJob: every field\n\n"
           "`evaljob.dev/v1alpha1`, kind `EvalJob`. Made from the table in `api/schema_*.cpp`, as the validation and\n"
           "`crds/` are; the test `FieldReference` holds this page to it.\n\n"
           "A file holds one object, as YAML or as JSON, of at most 1 MiB. `metadata.name` must be a DNS-1035 label, "
           "and\n"
           "short enough that the Pods' names NAME-NODE-ATTEMPT have at most 63 characters. Unknown fields are "
           "errors.\n"
           "`spec` cannot be changed once it is created.\n\n## spec\n\n";
    write_table(out, schema::spec_fields());
    write_refused(out);
    out << "\n## status\n\nOnly the operator writes it. Decimal numbers are strings.\n\n";
    write_table(out, schema::status_fields());
    return out.str();
}

}  // namespace evaljob
