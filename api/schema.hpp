// The one table of the EvalJob's fields. The validation here, the CRD's schema and CEL rules, and docs/evaljob.md are
// all made from it, so that they cannot differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/json.hpp"

namespace evaljob::schema {

enum class Type { Object, Array, String, Integer, Boolean, StringMap, IntegerMap };

/// A shape of strings: a pattern that ECMAScript and RE2 read alike, and the same in words ("must be …").
struct Form {
    const char* pattern;
    const char* words;
};

/// One line each: "spec.numNodes: must be at least 1, is 0".
using Violations = std::vector<std::string>;

/// What bounds cannot say. `cel` and `check` say the same: one in the API server, one here.
struct Rule {
    std::string cel;
    std::string message;             // of the API server when `cel` is false
    std::string message_expression;  // CEL; takes the place of `message`
    /// Empty: only the API server can tell (it compares with the old object), or another row's check says it too.
    /// The value may still break other rules.
    std::function<void(const Json& value, const std::string& path, Violations& violations)> check;
};

struct Field {
    std::string path;  // "spec.eval.datasets[].name"; [] stands for every item of a list
    Type type = Type::Object;
    std::string text;  // for a person
    bool required = false;
    const char* fallback = nullptr;        // the default, as JSON
    const char* fallback_words = nullptr;  // a default that depends on other fields; the CRD cannot say it
    std::optional<std::int64_t> minimum;
    std::optional<std::int64_t> maximum;
    bool wide = false;                      // 64 bits
    std::optional<std::size_t> min_length;  // characters
    std::optional<std::size_t> max_length;
    std::optional<std::size_t> min_items;  // of a list or a map
    std::optional<std::size_t> max_items;
    std::vector<const char*> values;  // the only ones
    const Form* form = nullptr;
    const char* key = nullptr;    // list: items are told apart by this member, which may not repeat
    bool distinct = false;        // list: no item may repeat
    bool open = false;            // object: members that have no row are kept as they are
    bool later = false;           // of the design, not supported yet: refused
    bool owned = false;           // the operator sets it: refused
    const char* taken = nullptr;  // why it may not be set: refused with these words
    std::vector<Rule> rules;
};

/// Everything below spec, in the order of the reference; the first row is spec itself.
const std::vector<Field>& spec_fields();

/// Everything below status, the same way. Only the operator writes it, so nothing here is validated.
const std::vector<Field>& status_fields();

/// The members of spec that may not change once the object is there.
const std::vector<const char*>& immutable_members();
inline constexpr const char* immutable_words =
    "is immutable: delete the EvalJob and create it anew; finished work of the same evaluation is taken up again";

inline constexpr const char* queue_words =
    "cannot be changed with scheduling.queueName: a queue admits the job as a whole";

/// Rules over the whole object, metadata.name included.
const std::vector<Rule>& object_rules();

/// A row with its members, or with its item if it is a list.
struct Node {
    std::string key;  // the last part of the path, without []
    const Field* field = nullptr;
    std::vector<Node> members;
    std::vector<Node> item;  // none or one
};

const Node& spec_tree();
const Node& status_tree();

/// The row's node below `root`, by its path without the root's own name; null when there is none.
const Node* find(const Node& root, const std::string& path);

}  // namespace evaljob::schema
