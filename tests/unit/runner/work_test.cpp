// A rank's work between its leases and its log, with a real coordinator beside it.
#include "evaljob-runner/rank/work.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "evaljob-runner/launch/coordinator_server.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

namespace asio = boost::asio;

Manifest manifest_of(std::uint64_t samples) {
    Manifest manifest;
    manifest.config = {{"datasets", {{{"name", "numbers"}}}}};
    for (std::uint64_t i = 0; i < samples; ++i) manifest.samples.push_back({0, std::to_string(i), "hash", Json(0), ""});
    manifest.batches = plan_batches(manifest.samples, 1, 1);
    return manifest;
}

class Batches : public BatchSource {
public:
    explicit Batches(Manifest manifest) : manifest_(std::move(manifest)) {}
    const Manifest& manifest() const override { return manifest_; }
    Result<EngineBatch> read(std::uint64_t batch) override {
        EngineBatch read;
        read.requests.resize(manifest_.batches.at(batch).items.size());
        return read;
    }

private:
    Manifest manifest_;
};

/// Answers at once.
class Quick : public Engine {
public:
    void begin(EngineBatch batch) override { batch_ = std::move(batch); }
    Result<EngineAnswer> next() override {
        EngineAnswer answer;
        answer.ticket = batch_.ticket;
        answer.predictions.assign(batch_.requests.size(), {Json(1), Json::object(), ""});
        return answer;
    }
    std::string library() const override { return "none"; }
    std::string device() const override { return "none"; }

private:
    EngineBatch batch_;
};

/// As on a volume whose quota is used up.
class NoFileGrowsBeyond {
public:
    explicit NoFileGrowsBeyond(std::uintmax_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        before_signal_ = std::signal(SIGXFSZ, SIG_IGN);
        rlimit limit = before_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~NoFileGrowsBeyond() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, before_signal_);
    }
    NoFileGrowsBeyond(const NoFileGrowsBeyond&) = delete;
    NoFileGrowsBeyond& operator=(const NoFileGrowsBeyond&) = delete;

private:
    rlimit before_{};
    void (*before_signal_)(int) = SIG_DFL;
};

class RankAtWork : public testing::Test {
public:
    ~RankAtWork() override {
        session_.reset();
        io_.stop();
        if (coordinating_.joinable()) coordinating_.join();
    }

protected:
    void coordinate(std::uint64_t samples) {
        manifest_ = manifest_of(samples);
        contract_.run_id = "run";
        contract_.world_size = contract_.num_nodes = 1;
        contract_.master_addr = "127.0.0.1";
        contract_.master_port =
            asio::ip::tcp::acceptor(io_, {asio::ip::make_address("127.0.0.1"), 0}).local_endpoint().port();
        contract_.shared_dir = folder_.path();
        contract_.output_dir = folder_ / "runs/run/node-0/attempt-0";
        CoordinatorOptions options;
        options.token = "token";
        options.expected = {"run", 1, 1, "cpu"};
        auto server = CoordinatorServer::start(io_, manifest_, contract_, options, "127.0.0.1",
                                               {[](int, const std::string& why) { ADD_FAILURE() << why; }, [] {}});
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        coordinating_ = std::thread([this] { io_.run(); });
        SessionOptions session;
        session.hello.token = "token";
        session.hello.contract = contract_;
        session.hello.device = {"cpu", 0, {}};
        session.master_addr = contract_.master_addr;
        session.master_port = contract_.master_port;
        session_ = std::make_unique<Session>(session);
        ASSERT_TRUE(std::holds_alternative<Welcome>(session_->wait_welcome()));
    }

    ShardWriter log() {
        ShardHeader header;
        header.identity = identity_of(manifest_);
        auto log = create_rank_log(contract_, header);
        EXPECT_TRUE(log) << log.error().message;
        return std::move(*log);
    }
    Result<SessionEnd> work(RankLog log) {
        Evaluator evaluator(std::make_unique<Batches>(manifest_), std::make_unique<Quick>());
        return evaluate_leases(*session_, evaluator, log, counters_);
    }

    TemporaryFolder folder_;
    Manifest manifest_;
    RankContract contract_;
    RankCounters counters_;
    asio::io_context io_{1};
    std::unique_ptr<CoordinatorServer> server_;
    std::thread coordinating_;
    std::unique_ptr<Session> session_;
};

TEST_F(RankAtWork, HasEverySampleInItsLogWhenItEnds) {
    coordinate(500);
    ShardWriter own = log();
    const std::string path = own.path();
    const auto end = work(std::move(own));
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_EQ(end->exit_code, 0);
    std::vector<std::string> ids;
    ASSERT_TRUE(read_shard_file(path, UINT64_MAX, {[&](Record&& record) { ids.push_back(record.id); }, {}}));
    EXPECT_EQ(ids.size(), 500U);
    EXPECT_EQ(counters_.samples, 500U);
}

/// It would wait for a lease that nobody gives, for what it has evaluated is never reported.
TEST_F(RankAtWork, EndsWhenItsLogFailsThoughThereIsNoOtherLease) {
    coordinate(1);
    ShardWriter own = log();
    const NoFileGrowsBeyond limit(std::filesystem::file_size(own.path()));
    const auto end = work(std::move(own));
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().reason, "NoSpace") << "the limit of the process, in its message";
}

}  // namespace
}  // namespace evaljob::test
