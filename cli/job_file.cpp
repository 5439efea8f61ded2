#include "cli/job_file.hpp"

#include <filesystem>
#include <sstream>

#include "api/json.hpp"
#include "cli/yaml.hpp"

namespace evaljob {

namespace {

std::string led_by(const std::string& file, const std::string& lines) {
    std::istringstream stream(lines);
    std::string text;
    for (std::string line; std::getline(stream, line);) text += (text.empty() ? "" : "\n") + file + ": " + line;
    return text;
}

void override_number(Json& object, const char* field, const std::optional<std::int32_t>& value) {
    if (value && object.is_object() && object.contains("spec") && object["spec"].is_object())
        object["spec"][field] = *value;
}

}  // namespace

Result<JobFile> read_job_file(const std::string& path, const JobOverrides& overrides) {
    auto object = read_yaml_file(path);
    if (!object) return tl::unexpected(object.error());
    override_number(*object, "numNodes", overrides.nodes);
    override_number(*object, "numProcPerNode", overrides.procs);
    auto job = parse_evaljob(*object);
    if (!job) return fail(job.error().reason, led_by(path, job.error().message));
    (*object)["metadata"].emplace("namespace", "default");
    job->meta.ns = (*object)["metadata"]["namespace"].get<std::string>();
    const auto folder = path == "-" ? std::filesystem::current_path() : std::filesystem::absolute(path).parent_path();
    return JobFile{std::move(*object), std::move(*job), folder.lexically_normal().string()};
}

}  // namespace evaljob
