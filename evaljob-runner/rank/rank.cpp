#include "evaljob-runner/rank/rank.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <variant>

#include <spdlog/spdlog.h>

#include "api/runner_environment.hpp"
#include "evaljob-runner/engine/aot_inductor.hpp"
#include "evaljob-runner/engine/command.hpp"
#include "evaljob-runner/engine/openai/openai.hpp"
#include "evaljob-runner/engine/torchscript.hpp"
#include "evaljob-runner/launch/device.hpp"
#include "evaljob-runner/launch/exit_status.hpp"
#include "evaljob-runner/launch/node_writes.hpp"
#include "evaljob-runner/launch/rank_counters.hpp"
#include "evaljob-runner/launch/run_files.hpp"
#include "evaljob-runner/manifest/await_manifest.hpp"
#include "evaljob-runner/manifest/build_manifest.hpp"
#include "evaljob-runner/rank/evaluator.hpp"
#include "evaljob-runner/rank/model_source.hpp"
#include "evaljob-runner/rank/rank_log.hpp"
#include "evaljob-runner/rank/session.hpp"
#include "evaljob-runner/rank/unix_time.hpp"
#include "evaljob-runner/rank/work.hpp"
#include "evaljob-runner/shard/shard_log.hpp"

namespace evaljob {

namespace {

int number(const Environment& environment, const char* name, int otherwise) {
    const std::string text = value_of(environment, name);
    int value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string host_name(const Environment& environment) {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return value_of(environment, "HOSTNAME", name.data());
}

/// What a rank is started with.
struct Setup {
    RankContract contract;
    Eval eval;
    DeviceChoice device;
    std::string storage_root;
    Environment environment;  // its own
    bool pretended_devices = false;
    bool node0_writes = false;  // this process's node has no volume to write to: node 0 writes for it
    SessionOptions session;
};

Result<Setup> read_setup(const Environment& environment) {
    // Variables that contradict each other are announced all the same: the coordinator names the processes.
    auto contract = parse_contract(environment);
    if (!contract) return tl::unexpected(contract.error());
    Setup setup;
    setup.contract = std::move(*contract);
    auto eval = read_run_eval(environment);
    if (!eval) return tl::unexpected(eval.error());
    auto token = read_run_token(environment);
    if (!token) return tl::unexpected(token.error());
    setup.eval = std::move(*eval);
    setup.device = choose_device(setup.eval, setup.contract.local_rank, setup.contract.local_world_size,
                                 visible_devices(environment));
    setup.environment = environment;
    setup.pretended_devices = devices_are_pretended(environment);
    setup.storage_root = value_of(environment, runner_environment::storage_root, ".");
    Hello& hello = setup.session.hello;
    hello.token = std::move(*token);
    hello.contract = setup.contract;
    hello.restart = number(environment, "EVALJOB_RANK_RESTART", 0);
    hello.device = setup.device;
    hello.host = host_name(environment);
    hello.pid = ::getpid();
    setup.session.master_addr = setup.contract.master_addr;
    setup.session.master_port = setup.contract.master_port;
    setup.node0_writes = node0_writes_for(environment, setup.contract);
    if (!setup.node0_writes) setup.session.shared_dir = setup.contract.shared_dir;
    setup.session.ready_timeout =
        std::chrono::seconds(number(environment, runner_environment::ready_timeout_seconds, 600));
    return setup;
}

/// Where the volume is not to be had, from this node's own copy of model and datasets.
Result<Manifest> rebuild_manifest(const Setup& setup, const std::string& identity) {
    auto manifest = build_manifest(setup.eval, setup.storage_root, setup.device.kind);
    if (manifest && identity_of(*manifest) != identity)
        return fail("BadInput",
                    "spec.storage.writers: Node0: the model or the datasets on this node are not those of node 0 "
                    "(identity " +
                        identity_of(*manifest).substr(0, 12) + ", node 0 has " + identity.substr(0, 12) +
                        "); every node must see the same files");
    return manifest;
}

/// For as long as a network file system may show what was there before.
Result<Manifest> read_manifest(const std::string& shared_dir, const std::string& identity) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    return await_manifest(shared_dir, identity, [until] {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        return std::chrono::steady_clock::now() < until;
    });
}

Result<std::unique_ptr<Engine>> open_command(const Setup& setup, const Manifest& manifest, const DeviceChoice& device) {
    const auto config = command_config(setup.eval.model, setup.storage_root);
    if (!config) return tl::unexpected(config.error());
    if (*config != manifest.config.at("model"))
        return fail("BadInput",
                    "spec.eval.model.command: the files that it names are not those of the manifest; every "
                    "node must see the same files");
    return start_command(setup.eval, setup.storage_root, setup.environment, device);
}

Result<std::unique_ptr<Engine>> open_model(const Setup& setup, const Manifest& manifest, const DeviceChoice& device,
                                           Session& session) {
    const std::string path = resolve_path(setup.storage_root, setup.eval.model.path);
    const Inference& inference = setup.eval.inference;
    const ModelOfRun of_run{{path, manifest.config.at("model").at("sha256").get<std::string>()}, identity_of(manifest)};
    const auto model = bring_model(of_run, inference.backend, device, setup.contract, setup.environment, session);
    if (!model) return tl::unexpected(model.error());
    if (setup.eval.model.format == ModelFormat::TorchScript)
        return load_torchscript(model->bytes, path, device, inference);
    return load_aot_inductor(model->bytes, path, device, inference);
}

Result<std::unique_ptr<Engine>> open_engine(const Setup& setup, const Manifest& manifest, Session& session) {
    const DeviceChoice device = setup.pretended_devices ? DeviceChoice{"cpu", 0, {}} : setup.device;
    switch (setup.eval.model.format) {
        case ModelFormat::TorchScript:
        case ModelFormat::AOTInductor:
            return open_model(setup, manifest, device, session);
        case ModelFormat::Command:
            return open_command(setup, manifest, device);
        case ModelFormat::OpenAI:
            return start_openai(setup.eval, setup.storage_root, setup.environment,
                                [&session](std::string what) { session.waits_for(std::move(what)); });
    }
    return fail("BadInput", "spec.eval.model.format: is not supported yet");
}

Result<Evaluator> open_evaluator(const Setup& setup, const std::string& identity, ShardHeader& header,
                                 Session& session) {
    auto manifest =
        setup.node0_writes ? rebuild_manifest(setup, identity) : read_manifest(setup.contract.shared_dir, identity);
    if (!manifest) return tl::unexpected(manifest.error());
    auto engine = open_engine(setup, *manifest, session);
    if (!engine) return tl::unexpected(engine.error());
    header.library = (*engine)->library();
    header.device = setup.device.kind == "cpu"
                        ? "cpu"
                        : "cuda " + setup.device.visible.at(static_cast<std::size_t>(setup.device.index));
    if (setup.eval.model.format == ModelFormat::OpenAI) header.device = (*engine)->device();
    auto batches = BatchReader::open(setup.eval, setup.storage_root, std::move(*manifest));
    if (!batches) return tl::unexpected(batches.error());
    return Evaluator(std::move(*batches), std::move(*engine));
}

std::string what_starts(const Model& model) {
    switch (model.format) {
        case ModelFormat::OpenAI:
            return model.url;
        case ModelFormat::Command:
            return "the program " + model.command.front();
        case ModelFormat::TorchScript:
        case ModelFormat::AOTInductor:
            break;
    }
    return "the model " + model.path;
}

Result<RankLog> create_log(const Setup& setup, ShardHeader header, Session& session) {
    header.threads = setup.eval.inference.threads_per_rank;
    header.opened_us = unix_us();
    if (setup.node0_writes) {
        ShardEncoder log(complete_header(setup.contract, std::move(header)));
        session.log_begins_with(log.take());
        return log;
    }
    auto log = create_rank_log(setup.contract, std::move(header));
    if (!log) return tl::unexpected(log.error());
    return std::move(*log);
}

/// Ends the job when no restart can mend the error, else only this process.
int give_up(Session& session, const Error& error) {
    const int status = exit_status_of(error);
    spdlog::error("{}", error.message);
    if (exit_code::is_final(status)) session.abort(status, error.message);
    return status;
}

int leave(Session& session, const SessionEnd& end, RankLog& log) {
    session.settle();
    if (auto* own = std::get_if<ShardWriter>(&log)) {
        if (auto closed = own->close(); !closed) spdlog::warn("{}", closed.error().message);
    }
    if (!end.message.empty()) spdlog::error("{}", end.message);
    return end.exit_code;
}

}  // namespace

int run_rank(const Environment& environment) {
    const SharedCounters counters = SharedCounters::open(value_of(environment, SharedCounters::variable));
    Laps laps;
    const auto setup = read_setup(environment);
    if (!setup) {
        spdlog::error("{}", setup.error().message);
        return exit_status_of(setup.error());
    }
    SessionOptions options = setup->session;
    // What was acknowledged is durable, and what is being computed counts for nothing: no reason to stay for it.
    options.superfluous = [] {
        spdlog::info("all samples are done; what this rank still computes was done by another, too");
        spdlog::default_logger()->flush();
        std::_Exit(exit_code::success);
    };
    Session session(std::move(options));
    const auto welcome = session.wait_welcome();
    if (const auto* end = std::get_if<SessionEnd>(&welcome)) {
        if (!end->message.empty()) spdlog::error("{}", end->message);
        return end->exit_code;
    }
    ShardHeader header;
    header.identity = std::get<Welcome>(welcome).identity;
    session.waits_for(what_starts(setup->eval.model));
    auto evaluator = open_evaluator(*setup, header.identity, header, session);
    session.waits_for("");
    if (!evaluator) return give_up(session, evaluator.error());
    auto log = create_log(*setup, header, session);
    if (!log) return give_up(session, log.error());
    laps.add_to(counters->starting_us);
    const auto end = evaluate_leases(session, *evaluator, *log, *counters);
    if (!end) return give_up(session, end.error());
    return leave(session, *end, *log);
}

}  // namespace evaljob
