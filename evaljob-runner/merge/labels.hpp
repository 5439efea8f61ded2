// What the manifest calls things: datasets and classes. Pure. A manifest without names gets numbers, never an error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/manifest.hpp"

namespace evaljob {

std::size_t dataset_count(const Manifest& manifest);

/// config.datasets[i].name, or "dataset-i".
std::string dataset_name(const Manifest& manifest, std::uint32_t dataset);

/// config.datasets[i].task.classes: the name of class c at index c; empty when they are not named.
std::vector<std::string> class_names(const Manifest& manifest, std::uint32_t dataset);

/// config.datasets[i].task.metrics, as the EvalJob spells them; empty when the task is Classification.
std::vector<std::string> task_metrics(const Manifest& manifest, std::uint32_t dataset);

/// config.datasets[i].task.passAt; each at most the manifest's repeats.
std::vector<std::uint32_t> task_pass_at(const Manifest& manifest, std::uint32_t dataset);

/// config.datasets[i].targetLists: answers of a TSV that were read as a list of right ones.
std::uint64_t target_lists(const Manifest& manifest, std::uint32_t dataset);

/// The class's name, or its number when it has none.
std::string class_label(const std::vector<std::string>& names, std::int64_t number);

}  // namespace evaljob
