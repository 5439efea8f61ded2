#include "evaljob-runner/rank/model_source.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "api/runner_environment.hpp"
#include "evaljob-runner/communicate/gloo.hpp"
#include "evaljob-runner/communicate/spread.hpp"

namespace evaljob {

namespace {

constexpr std::uintmax_t worth_a_group = std::uintmax_t{64} << 20U;  // Auto: smaller files are read sooner than spread
constexpr std::int64_t limit_ms = 20'000;                            // of one collective operation
constexpr std::chrono::seconds group_patience{10};                   // with the coordinator; it gathers for 3 s

/// Where the ranks of this node share the model's bytes; none when their launcher has not given them such a file.
std::optional<MemoryFile> memory_of_node(const Environment& environment) {
    const auto number = environment.find(MemoryFile::variable);
    if (number == environment.end()) return std::nullopt;
    auto file = MemoryFile::inherited(std::atoi(number->second.c_str()));
    if (file) return std::move(*file);
    spdlog::warn("{}: {}", MemoryFile::variable, file.error().message);
    return std::nullopt;
}

bool wants_group(Backend backend, const std::string& path, const RankContract& contract) {
    if (backend != Backend::Auto) return backend == Backend::Gloo;
    std::error_code unknown;
    return gloo_is_built && contract.num_nodes > 1 && std::filesystem::file_size(path, unknown) >= worth_a_group &&
           !unknown;
}

/// Among the nodes that are present; the communicator of one that is alone needs nobody.
Result<std::unique_ptr<Communicator>> join_group(const std::string& address, Session& session) {
    auto door = open_gloo_door(address, limit_ms);
    if (!door) return tl::unexpected(door.error());
    const auto group = session.join_group((*door)->address(), group_patience);
    if (!group) return fail("Unavailable", "the coordinator has formed no group in time");
    spdlog::info("model: member {} of {} in group {}", group->self, group->members.size(), group->generation);
    if (group->members.size() == 1) return std::make_unique<Alone>();
    return (*door)->enter(*group);
}

}  // namespace

Result<SharedBytes> bring_model(const ModelOfRun& model, const Inference& inference, const RankContract& contract,
                                const Environment& environment, Session& session) {
    if (inference.backend == Backend::Gloo && !gloo_is_built)
        return fail("BadInput", "spec.eval.inference.backend: this runner is built without Gloo; choose Auto or None");
    FromOthers from_group;
    const std::string address = value_of(environment, runner_environment::pod_ip);
    if (wants_group(inference.backend, model.file.path, contract) && !address.empty())
        from_group = [&](const ModelReader& reader, char* to) -> Result<void> {
            const auto group = join_group(address, session);
            if (!group) return tl::unexpected(group.error());
            return spread(
                **group, {model.identity + " " + model.file.sha256, reader.size()}, to,
                [&](std::uint64_t offset, char* at, std::size_t count) { return reader.read(offset, at, count); });
        };
    auto memory = memory_of_node(environment);
    return read_model_file(model.file, memory ? &*memory : nullptr, from_group);
}

}  // namespace evaljob
