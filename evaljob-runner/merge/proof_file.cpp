#include "evaljob-runner/merge/proof_file.hpp"

#include "api/json.hpp"

namespace evaljob {

namespace {

Json fault_json(const Fault& fault) { return {{"count", fault.count}, {"first", fault.ids}}; }

Json shard_json(const ShardTrace& shard) {
    const ShardHeader& h = shard.header;
    return {{"path", shard.path},        {"records", shard.records}, {"batches", shard.batches.size()},
            {"runId", h.run_id},         {"rank", h.rank},           {"nodeRank", h.node_rank},
            {"localRank", h.local_rank}, {"attempt", h.attempt},     {"device", h.device},
            {"library", h.library},      {"threads", h.threads}};
}

}  // namespace

std::string proof_json(const std::string& identity, const Proof& proof, const std::vector<ShardTrace>& shards,
                       const std::vector<std::string>& faults) {
    Json logs = Json::array();
    for (const ShardTrace& shard : shards) logs.push_back(shard_json(shard));
    Json object = {{"identity", identity},
                   {"samples", proof.items},
                   {"records", proof.records},
                   {"extraRecords", proof.extra_records},
                   {"missing", fault_json(proof.missing)},
                   {"repeated", fault_json(proof.repeated)},
                   {"conflicting", fault_json(proof.conflicting)},
                   {"failed", fault_json(proof.failed)},
                   {"foreign", fault_json(proof.foreign)},
                   {"faults", faults},
                   {"shards", std::move(logs)}};
    return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace evaljob
