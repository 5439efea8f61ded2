#include "api/argument_limits.hpp"

#include <vector>

#include "api/json_read.hpp"

namespace evaljob {
namespace {

std::string refused(const std::string& field, std::size_t bytes) {
    if (bytes <= max_argument_bytes) return {};
    return field + ": must have at most " + std::to_string(max_argument_bytes) +
           " bytes, as a program is started with it, and has " + std::to_string(bytes) +
           ": put it into a file, and name that";
}

std::string place(const std::string& list, std::size_t at) { return list + "[" + std::to_string(at) + "]"; }

std::string in_command(const std::string& field, const std::vector<std::string>& command) {
    for (std::size_t i = 0; i < command.size(); ++i)
        if (std::string what = refused(place(field, i), command[i].size()); !what.empty()) return what;
    return {};
}

/// A variable is NAME=VALUE to the kernel.
std::string in_container(const std::string& field, const Json& container) {
    for (const char* list : {"command", "args"}) {
        const Json& words = member(container, list);
        for (std::size_t i = 0; words.is_array() && i < words.size(); ++i) {
            const std::size_t bytes = words[i].is_string() ? words[i].get_ref<const std::string&>().size() : 0;
            if (std::string what = refused(place(field + "." + list, i), bytes); !what.empty()) return what;
        }
    }
    const Json& variables = member(container, "env");
    for (std::size_t i = 0; variables.is_array() && i < variables.size(); ++i) {
        const std::size_t bytes = text_of(variables[i], "name").size() + 1 + text_of(variables[i], "value").size();
        if (std::string what = refused(place(field + ".env", i) + ".value", bytes); !what.empty()) return what;
    }
    return {};
}

std::string in_template(const Json& pod_template) {
    for (const char* list : {"initContainers", "containers"}) {
        const Json& containers = member(member(pod_template, "spec"), list);
        for (std::size_t i = 0; containers.is_array() && i < containers.size(); ++i)
            if (std::string what = in_container(place(std::string("spec.template.spec.") + list, i), containers[i]);
                !what.empty())
                return what;
    }
    return {};
}

std::string in_eval(const Eval& eval) {
    if (std::string what = in_command("spec.eval.model.command", eval.model.command); !what.empty()) return what;
    for (std::size_t i = 0; i < eval.datasets.size(); ++i) {
        const auto& scorer = eval.datasets[i].task.scorer;
        if (!scorer) continue;
        std::string what = in_command(place("spec.eval.datasets", i) + ".task.scorer.command", scorer->command);
        if (!what.empty()) return what;
    }
    return {};
}

}  // namespace

std::string too_long_argument(const EvalJobSpec& spec) {
    if (std::string what = in_template(spec.pod_template); !what.empty()) return what;
    return spec.eval ? in_eval(*spec.eval) : std::string();
}

}  // namespace evaljob
