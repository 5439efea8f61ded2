#include "evaljob-runner/engine/package_fit.hpp"

#include <sstream>
#include <vector>

#include "api/json.hpp"

namespace evaljob {

namespace {

std::string of(const PackageMetadata& package, const std::string& key) {
    const auto found = package.find(key);
    return found == package.end() ? "" : found->second;
}

/// What the kernel calls the parts of an instruction set that torch's compiler uses under one name.
std::vector<std::string> flags_of(const std::string& isa) {
    static const std::map<std::string, std::vector<std::string>> known{
        {"AVX2", {"avx2", "fma", "f16c"}},
        {"AVX512", {"avx512f", "avx512dq", "avx512vl", "avx512bw", "fma"}},
        {"AVX512_VNNI", {"avx512_vnni"}},
        {"AMX_TILE", {"amx_tile", "amx_bf16", "amx_int8"}},
        {"ASIMD", {"asimd"}},
        {"NEON", {"asimd"}},
        {"INVALID_VEC_ISA", {}},  // compiled without vector instructions
    };
    const auto found = known.find(isa);
    return found == known.end() ? std::vector<std::string>{isa} : found->second;
}

/// The instructions that the machine lacks, as a list for a person.
std::string lacking(const std::string& isa, const std::set<std::string>& flags) {
    std::string missing;
    std::istringstream names(isa);
    for (std::string name; names >> name;)
        for (const std::string& flag : flags_of(name))
            if (!flags.contains(flag)) missing += (missing.empty() ? "" : ", ") + flag;
    return missing;
}

std::string dotted(int capability) { return std::to_string(capability / 10) + "." + std::to_string(capability % 10); }

std::optional<std::string> cpu_misfit(const PackageMetadata& package, const Machine& machine) {
    const std::string target = of(package, "AOTI_PLATFORM") + " on " + of(package, "AOTI_MACHINE");
    const std::string here = machine.platform + " on " + machine.machine;
    if (target != here) return "it was compiled for " + target + ", this is " + here;
    const std::string isa = of(package, "AOTI_CPU_ISA");
    if (isa.empty()) return "it does not say for which CPU it was compiled";
    const std::string missing = lacking(isa, machine.cpu_flags);
    if (missing.empty()) return std::nullopt;
    return "it was compiled for CPUs with " + isa + ", this one lacks " + missing;
}

/// Code for one GPU runs on those of the same major number that are not older.
std::optional<std::string> gpu_misfit(const PackageMetadata& package, const Machine& machine) {
    const std::string text = of(package, "AOTI_COMPUTE_CAPABILITY");
    int made_for = 0;
    if (!(std::istringstream(text) >> made_for)) return "it does not say for which GPU it was compiled";
    const bool fits = made_for / 10 == machine.compute_capability / 10 && made_for <= machine.compute_capability;
    if (fits) return std::nullopt;
    return "it was compiled for GPUs of compute capability " + dotted(made_for) + ", this one has " +
           dotted(machine.compute_capability);
}

}  // namespace

Result<PackageMetadata> parse_package_metadata(std::string_view json) {
    const Json object = Json::parse(json, nullptr, false);
    if (!object.is_object()) return fail("BadInput", "its metadata is no JSON object");
    PackageMetadata package;
    for (const auto& [key, value] : object.items()) {
        if (!value.is_string()) return fail("BadInput", "its metadata has a " + key + " that is no text");
        package[key] = value.get<std::string>();
    }
    return package;
}

std::optional<std::string> misfit(const PackageMetadata& package, const Machine& machine) {
    const std::string device = of(package, "AOTI_DEVICE_KEY");
    if (device.empty()) return "it does not say for which device it was compiled";
    if (device != machine.device)
        return "it was compiled for the device " + device + ", this rank computes on " + machine.device;
    if (auto cpu = cpu_misfit(package, machine)) return cpu;
    return device == "cuda" ? gpu_misfit(package, machine) : std::nullopt;
}

}  // namespace evaljob
