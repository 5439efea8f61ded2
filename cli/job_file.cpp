#include "cli/job_file.hpp"

#include <filesystem>
#include <sstream>

#include "api/json.hpp"
#include "api/yaml.hpp"

namespace evaljob {

namespace fs = std::filesystem;

namespace {

std::string led_by(const std::string& file, const std::string& lines) {
    std::istringstream stream(lines);
    std::string text;
    for (std::string line; std::getline(stream, line);) text += (text.empty() ? "" : "\n") + file + ": " + line;
    return text;
}

void override_number(Json& spec, const char* field, const std::optional<std::int32_t>& value) {
    if (value) spec[field] = *value;
}

/// A path field of an object, when it is there and relative, below `folder`.
void make_absolute(Json& object, const char* field, const fs::path& folder) {
    if (!object.is_object() || !object.contains(field) || !object[field].is_string()) return;
    const auto path = object[field].get<std::string>();
    if (!path.empty()) object[field] = (folder / path).lexically_normal().string();
}

/// Of a program: without a path of its own it starts in the storage root, which is `folder`.
void make_absolute_program(Json& program, const fs::path& folder) {
    make_absolute(program, "path", folder);
    if (program.is_object() && !program.contains("path")) program["path"] = folder.lexically_normal().string();
}

void make_absolute_dataset(Json& dataset, const fs::path& folder) {
    make_absolute(dataset, "path", folder);
    make_absolute(dataset, "labelsPath", folder);
    if (const Json::json_pointer scorer("/task/scorer"); dataset.is_object() && dataset.contains(scorer))
        make_absolute_program(dataset[scorer], folder);
}

void make_absolute_model(Json& model, const fs::path& folder) {
    const bool is_program = model.is_object() && model.value("format", Json()) == "Command";
    if (is_program) return make_absolute_program(model, folder);
    make_absolute(model, "path", folder);
}

/// The output goes to a folder of its own, so what the file names relative to itself has to be found from there.
fs::path move_output(Json& spec, const fs::path& file_folder, const std::string& output) {
    fs::path folder = fs::absolute(output).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // "out/"
    spec["storage"]["path"] = folder.filename().string();
    if (spec.contains("eval") && spec["eval"].is_object()) {
        Json& eval = spec["eval"];
        if (eval.contains("model")) make_absolute_model(eval["model"], file_folder);
        if (eval.contains("datasets") && eval["datasets"].is_array()) {
            for (Json& dataset : eval["datasets"]) make_absolute_dataset(dataset, file_folder);
        }
    }
    if (const Json::json_pointer expected("/merge/expect/dataset"); spec.contains(expected))
        make_absolute_dataset(spec[expected], file_folder);
    return folder.parent_path();
}

/// Paths go through JSON, where other bytes would become other names.
bool is_utf8(const std::string& text) {
    try {
        static_cast<void>(Json(text).dump());
        return true;
    } catch (const Json::exception&) {
        return false;
    }
}

}  // namespace

Result<JobFile> read_job_file(const std::string& path, const JobOverrides& overrides) {
    auto object = read_yaml_file(path);
    if (!object) return tl::unexpected(object.error());
    const fs::path folder = path == "-" ? fs::current_path() : fs::absolute(path).parent_path();
    fs::path root = folder;
    // Overrides go into a spec that is one; anything else is for parse_evaljob to refuse.
    if (object->is_object() && object->contains("spec") && (*object)["spec"].is_object()) {
        Json& spec = (*object)["spec"];
        override_number(spec, "numNodes", overrides.nodes);
        override_number(spec, "numProcPerNode", overrides.procs);
        if (overrides.retry_failed && spec.contains("eval") && spec["eval"].is_object())
            spec["eval"]["retryFailed"] = true;
        const bool storage_fits = !spec.contains("storage") || spec["storage"].is_object();
        if (!overrides.output.empty() && storage_fits) root = move_output(spec, root, overrides.output);
    }
    if (!is_utf8(root.string() + overrides.output)) {
        return fail("InvalidPath", path + ": the path of " + (overrides.output.empty() ? "its folder" : "--output") +
                                       " is not UTF-8 text; rename it");
    }
    auto job = parse_evaljob(*object);
    if (!job) return fail(job.error().reason, led_by(path, job.error().message));
    (*object)["metadata"].emplace("namespace", "default");
    job->meta.ns = (*object)["metadata"]["namespace"].get<std::string>();
    return JobFile{std::move(*object), std::move(*job), root.lexically_normal().string(),
                   folder.lexically_normal().string()};
}

}  // namespace evaljob
