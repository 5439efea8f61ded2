#include "evaljob-runner/rank/model_source.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "api/runner_environment.hpp"
#include "evaljob-runner/communicate/gloo.hpp"
#include "evaljob-runner/communicate/nccl.hpp"
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

/// None: this rank reads the file without asking anybody.
Backend backend_for(Backend asked, const std::string& path, const RankContract& contract) {
    if (asked != Backend::Auto) return asked;
    std::error_code unknown;
    const bool worth_it = gloo_is_built && contract.num_nodes > 1 &&
                          std::filesystem::file_size(path, unknown) >= worth_a_group && !unknown;
    return worth_it ? Backend::Gloo : Backend::None;
}

Result<void> check_backend(Backend backend, const DeviceChoice& device) {
    const auto refused = [](const std::string& why) { return fail("BadInput", "spec.eval.inference.backend: " + why); };
    if (backend == Backend::Gloo && !gloo_is_built)
        return refused("this runner is built without Gloo; choose Auto or None");
    if (backend == Backend::NCCL && !nccl_is_built)
        return refused("this runner is built without NCCL; choose Auto, Gloo or None");
    if (backend == Backend::NCCL && device.kind != "cuda")
        return refused("NCCL needs GPUs, and this rank computes on the CPU; choose Auto, Gloo or None");
    return {};
}

/// Among the nodes that are present; the communicator of one that is alone needs nobody.
Result<std::unique_ptr<Communicator>> join_group(Result<std::unique_ptr<Door>> door, Session& session) {
    if (!door) return tl::unexpected(door.error());
    const auto group = session.join_group((*door)->address(), group_patience);
    if (!group) return fail("Unavailable", "the coordinator has formed no group in time");
    spdlog::info("model: member {} of {} in group {}", group->self, group->members.size(), group->generation);
    if (group->members.size() == 1) return std::make_unique<Alone>();
    return (*door)->enter(*group);
}

}  // namespace

Result<SharedBytes> bring_model(const ModelOfRun& model, Backend asked, const DeviceChoice& device,
                                const RankContract& contract, const Environment& environment, Session& session) {
    if (auto there = check_backend(asked, device); !there) return tl::unexpected(there.error());
    const Backend backend = backend_for(asked, model.file.path, contract);
    const std::string address = value_of(environment, runner_environment::pod_ip);
    FromOthers from_group;
    if (backend == Backend::NCCL || (backend == Backend::Gloo && !address.empty()))
        from_group = [&](const ModelReader& reader, char* to) -> Result<void> {
            const auto group = join_group(
                backend == Backend::NCCL ? open_nccl_door(device.index, limit_ms) : open_gloo_door(address, limit_ms),
                session);
            if (!group) return tl::unexpected(group.error());
            return spread(
                **group, {model.identity + " " + model.file.sha256, reader.size()}, to,
                [&](std::uint64_t offset, char* at, std::size_t count) { return reader.read(offset, at, count); });
        };
    auto memory = memory_of_node(environment);
    return read_model_file(model.file, memory ? &*memory : nullptr, from_group);
}

}  // namespace evaljob
