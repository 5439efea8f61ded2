// Parts of the table, each in a file of its own; api/schema.hpp puts them together. Forms and checks that rows share.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "api/schema.hpp"

namespace evaljob::schema {

inline constexpr Form dns_label{"^[a-z]([-a-z0-9]*[a-z0-9])?$",
                                "a DNS-1035 label: lower-case letters, digits and '-', a letter first, no '-' last"};
inline constexpr Form dns_subdomain{"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
                                    "a DNS subdomain: lower-case letters, digits, '-' and '.'"};
inline constexpr Form sha256_hex_form{"^[0-9a-f]{64}$", "64 lower-case hexadecimal digits"};
inline constexpr Form path_form{"^[^\\x00]+$", "a path without NUL characters"};

// RE2 and ECMAScript read these alike.
inline constexpr Form url_form{"^https?://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?$",
                               "a URL like http://localhost:8000/v1, without user, query and fragment"};
inline constexpr Form variable_form{"^[A-Za-z_][A-Za-z0-9_]*$",
                                    "the name of a variable: letters, digits and '_', no digit first"};
inline constexpr Form text_form{"^[^\\x00]+$", "a text without NUL characters"};

inline constexpr Form decimal_form{"^(0|[1-9][0-9]?)([.][0-9]{1,6})?$", "a decimal number such as 0.7"};
inline constexpr Form share_form{"^(0([.][0-9]{1,6})?|1)$", "a decimal number from 0 to 1, such as 0.9"};

inline constexpr std::size_t max_path_length = 1024;

/// Rules of an object in which `kind`, where it is `value`, decides over `key`: it must be there, must be (one of)
/// `fixed`, or may not be `refused`. Both are paths below the object, "model.format". The last is over every item of a
/// list.
Rule needed_with(const std::string& kind, const std::string& value, const std::string& key);
Rule fixed_with(const std::string& kind, const std::string& value, const std::string& key, const std::string& fixed);
Rule fixed_with(const std::string& kind, const std::string& value, const std::string& key,
                const std::vector<std::string>& fixed);
Rule refused_value_with(const std::string& kind, const std::string& value, const std::string& key,
                        const std::string& refused);
Rule all_fixed_with(const std::string& kind, const std::string& value, const std::string& list, const std::string& key,
                    const std::vector<std::string>& fixed);

/// What only some of the values of a kind have a use for. `key` is a path like the above; below a list, "list[].key".
struct Use {
    std::string key;
    std::vector<std::string> with;
};
/// Of every value of `kind`, the rules that refuse the keys that it has no use for.
std::vector<Rule> used_with(const std::string& kind, const std::vector<std::string>& values,
                            const std::vector<Use>& uses);

/// The items of the list `key` of an object, each with its path and a full stop; none where it is no list.
void each_item(const Json& object, const std::string& path, const std::string& key,
               const std::function<void(const Json& item, const std::string& of_item)>& visit);

/// A member that needs another.
Rule needed_for(const std::string& key, const std::string& needed);

inline void add(std::vector<Field>& fields, const std::vector<Field>& part) {
    fields.insert(fields.end(), part.begin(), part.end());
}

inline void add(std::vector<Rule>& rules, const std::vector<Rule>& part) {
    rules.insert(rules.end(), part.begin(), part.end());
}

std::vector<Field> eval_fields();                                    // spec.eval and below
std::vector<Field> model_fields();                                   // spec.eval.model and below
std::vector<Field> server_fields();                                  // of it, what OpenAI has
std::vector<Field> expect_fields();                                  // spec.merge.expect and below
std::vector<Rule> dataset_rules(const std::vector<Use>& more = {});  // by format
std::vector<Field> dataset_fields(const std::string& dataset);
std::vector<Field> task_fields(const std::string& task, const std::vector<Use>& more = {});  // by type
std::vector<Field> scorer_fields(const std::string& task);                                   // task.scorer and below
std::vector<Field> template_fields();                                                        // spec.template and below
std::vector<Field> storage_fields();                                                         // spec.storage and below
std::vector<Field> policy_fields();      // rendezvous, merge, restartPolicy
std::vector<Field> scheduling_fields();  // spec.scheduling and below
std::vector<Field> life_fields();        // deadlines, suspend, managedBy

/// Of an object that has both the dataset's format and its task.
std::vector<Rule> task_rules(const std::string& format);

/// Labels of a user's own on what the operator makes.
Field labels(std::string path);

/// A field of the design that is refused for now.
Field later(std::string path, Type type);

}  // namespace evaljob::schema
