#include "bench/runner/timed_rank.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <variant>

#include "bench/runner/timed_manifest.hpp"
#include "evaljob-runner/rank/rank_log.hpp"
#include "evaljob-runner/rank/session.hpp"

namespace evaljob::bench {

using std::chrono::steady_clock;

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

int work_as_rank(const RankContract& contract, const Manifest& manifest,
                 const std::function<void(const Lease&)>& compute, int restart) {
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
    auto log = must(create_rank_log(contract, header));
    session.want(2);  // one computing, one prepared
    for (;;) {
        const auto next = session.next_lease();
        if (const auto* end = std::get_if<SessionEnd>(&next)) return end->exit_code;
        const Lease& lease = std::get<Lease>(next);
        const auto begun = steady_clock::now();
        compute(lease);
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun);
        session.done({must(record_lease({lease, records_of(manifest, lease), 0, took.count()}, log)), ""});
    }
}

}  // namespace evaljob::bench
