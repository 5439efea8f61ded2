#include "bench/runner/timed_rank.hpp"

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <variant>

#include "bench/runner/timed_manifest.hpp"
#include "evaljob-runner/rank/rank_log.hpp"
#include "evaljob-runner/rank/session.hpp"
#include "evaljob-runner/rank/work.hpp"

namespace evaljob::bench {

namespace {

struct TimedBatch : Prepared {
    explicit TimedBatch(std::uint64_t batch) : number(batch) {}
    std::uint64_t number;
};

class TimedBatches : public BatchSource {
public:
    explicit TimedBatches(const Manifest& manifest) : manifest_(manifest) {}
    const Manifest& manifest() const override { return manifest_; }
    Result<EngineBatch> read(std::uint64_t batch) override {
        EngineBatch read;
        read.requests.resize(manifest_.batches.at(batch).items.size());
        read.prepared = std::make_shared<TimedBatch>(batch);
        return read;
    }

private:
    const Manifest& manifest_;
};

class TimedEngine : public Engine {
public:
    explicit TimedEngine(std::function<void(std::uint64_t)> compute) : compute_(std::move(compute)) {}
    void begin(EngineBatch batch) override { batch_ = std::move(batch); }
    Result<EngineAnswer> next() override {
        compute_(static_cast<const TimedBatch&>(*batch_.prepared).number);
        EngineAnswer answer;
        answer.ticket = batch_.ticket;
        answer.predictions.assign(batch_.requests.size(), {Json(0), {{"confidence", "0.500000"}}, ""});
        return answer;
    }
    std::string library() const override { return "none"; }
    std::string device() const override { return "cpu"; }

private:
    std::function<void(std::uint64_t)> compute_;
    EngineBatch batch_;
};

}  // namespace

RankContract contract_of(std::size_t rank, std::size_t ranks, std::uint16_t port, const std::string& folder) {
    RankContract contract;
    contract.run_id = "bench";
    contract.rank = contract.node_rank = static_cast<std::int32_t>(rank);
    contract.world_size = contract.num_nodes = static_cast<std::int32_t>(ranks);
    contract.master_addr = "127.0.0.1";
    contract.master_port = port;
    contract.shared_dir = folder;
    contract.output_dir = folder + "/runs/bench/node-" + std::to_string(rank) + "/attempt-0";
    return contract;
}

int work_as_rank(const RankContract& contract, const Manifest& manifest, std::function<void(std::uint64_t)> compute,
                 int restart) {
    SessionOptions options;
    options.hello.token = "token";
    options.hello.contract = contract;
    options.hello.restart = restart;
    options.hello.device = {"cpu", 0, {}};
    options.hello.host = "bench";
    options.hello.pid = ::getpid();
    options.master_addr = contract.master_addr;
    options.master_port = contract.master_port;
    options.shared_dir = contract.shared_dir;
    options.superfluous = [] { std::_Exit(0); };
    Session session(options);
    const auto welcome = session.wait_welcome();
    if (std::holds_alternative<SessionEnd>(welcome)) return std::get<SessionEnd>(welcome).exit_code;
    ShardHeader header;
    header.identity = std::get<Welcome>(welcome).identity;
    header.device = "cpu";
    header.library = "none";
    RankLog log = must(create_rank_log(contract, header));
    Evaluator evaluator(std::make_unique<TimedBatches>(manifest), std::make_unique<TimedEngine>(std::move(compute)));
    RankCounters counters;
    const SessionEnd end = must(evaluate_leases(session, evaluator, log, counters));
    session.settle();
    return end.exit_code;
}

}  // namespace evaljob::bench
