// The EvalJob file, as the command line reads it: YAML or JSON text, then the rules of the EvalJob.
#include "api/evaljob.hpp"
#include "api/json.hpp"
#include "api/yaml.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

void check_evaljob(const Json& object) {
    const auto job = parse_evaljob(object);
    if (!job) return fuzz::require(!job.error().message.empty(), "a refusal has a message");
    Json again = object;
    again["spec"] = spec_to_json(job->spec);
    const auto reread = parse_evaljob(again);
    fuzz::require(reread.has_value(), "a spec that was read and written reads again");
    fuzz::require(spec_to_json(reread->spec) == again["spec"], "a spec that was read and written is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto object = parse_yaml(fuzz::text_of(bytes, size), "f");
    if (!object) {
        fuzz::require(object.error().message.starts_with("f"), "a refusal names the file");
        fuzz::require(object.error().message.find('\n') == std::string::npos, "a refusal of YAML is one line");
        return 0;
    }
    // What is written may be larger than what was read, and then too large to be read.
    const std::string yaml = to_yaml(*object);
    if (const auto again = parse_yaml(yaml, "f"); yaml.size() <= max_yaml_bytes)
        fuzz::require(again.has_value() && *again == *object, "what is written as YAML reads the same");
    const std::string json = object->dump();
    if (const auto again = parse_yaml(json, "f"); object->is_object() && json.size() <= max_yaml_bytes)
        fuzz::require(again.has_value() && *again == *object, "what is written as JSON reads the same");
    check_evaljob(*object);
    return 0;
}
