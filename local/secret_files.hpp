// Which files of the run's Secret a container mounts. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob::local {

/// Names and contents of the files that the container mounts at run_spec::mount_path; nothing where it mounts no Secret
/// there. An Error names the volume; its `retry` is true when what is missing may come.
Result<std::optional<std::map<std::string, std::string>>> secret_files(
    const Json& pod, const Json& container, const std::function<std::optional<Json>(const std::string& name)>& secret);

/// Whether local mode acts on this volume, or mount of a volume.
bool is_run_volume(const Json& item);

}  // namespace evaljob::local
