// Files of epochs: the paths of shard logs that coordinators have written down.
#include "evaljob-runner/manifest/log_names.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string again;
    const auto names = log_names_in(fuzz::text_of(bytes, size));
    for (const std::string& name : names) {
        fuzz::require(name.starts_with("runs/") && name.ends_with(".shard"), "a name is a log's");
        fuzz::require(("/" + name + "/").find("/../") == std::string::npos, "a path stays in the folder");
        fuzz::require(name.find('\n') == std::string::npos && name.find('\0') == std::string::npos, "a name is one");
        again += name + "\n";
    }
    fuzz::require(log_names_in(again) == names, "names that were read and written are the same");
    return 0;
}
