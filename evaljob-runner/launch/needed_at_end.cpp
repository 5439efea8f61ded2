#include "evaljob-runner/launch/needed_at_end.hpp"

#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/engine/program_lookup.hpp"

namespace evaljob {

Result<void> look_up_scorers(const Eval& eval, const std::string& storage_root, const Environment& environment) {
    for (const Dataset& dataset : eval.datasets) {
        const auto& scorer = dataset.task.scorer;
        if (!scorer || scorer->command.empty()) continue;
        const std::string field = "dataset " + dataset.name + ": task.scorer.";
        const ProgramPlace place{scorer->command.front(), resolve_path(storage_root, scorer->path), field + "command",
                                 field + "path"};
        if (auto there = look_up_program(place, environment); !there) return there;
    }
    return {};
}

}  // namespace evaljob
