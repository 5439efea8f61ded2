#include "tests/simulation/runner/job.hpp"

namespace evaljob::simulation {

Manifest manifest_of(const Shape& shape) {
    const std::vector<std::string> classes{"Bag", "Coat", "Shirt"};
    Manifest manifest;
    manifest.config = {
        {"model", {{"format", "TorchScript"}, {"sha256", std::string(64, 'a')}}},
        {"datasets",
         Json::array({{{"name", "wardrobe"}, {"task", {{"type", "Classification"}, {"classes", classes}}}}})}};
    for (std::uint64_t i = 0; i < shape.samples; ++i)
        manifest.samples.push_back({0, std::to_string(i), std::string(32, 'b'), Json(i % 3), classes[i % 3]});
    manifest.batches = plan_batches(manifest.samples, 1, shape.batch_size);
    return manifest;
}

std::vector<Record> records_of(const Manifest& manifest, const Lease& lease) {
    std::vector<Record> records;
    for (const std::uint64_t item : manifest.batches.at(lease.batch).items) {
        const std::uint64_t guess = item % 5 == 0 ? (item + 1) % 3 : item % 3;
        const std::string confidence = "0." + std::to_string(500'000 + item * 7'919 % 400'000);
        records.push_back(
            {0, manifest.samples[item].id, 0, lease.number, Json(guess), {{"confidence", confidence}}, ""});
    }
    return records;
}

Hello hello_of(const RunContract& run, std::int32_t rank, std::int32_t attempt, std::int32_t restart) {
    Hello hello;
    hello.token = run.token();
    RankContract& contract = hello.contract;
    contract.run_id = run.id();
    contract.attempt = attempt;
    contract.rank = contract.node_rank = rank;
    contract.world_size = contract.num_nodes = run.ranks;
    contract.master_port = 29500;
    contract.shared_dir = shared_folder;
    contract.output_dir = std::string(shared_folder) + "/runs/" + run.id() + "/node-" + std::to_string(rank) +
                          "/attempt-" + std::to_string(attempt);
    hello.restart = restart;
    hello.device = {"cpu", 0, {}};
    hello.host = "fm-" + std::to_string(rank);
    return hello;
}

}  // namespace evaljob::simulation
