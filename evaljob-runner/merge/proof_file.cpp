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

std::string proof_json(const ProofFileInput& in) {
    Json object = {{"identity", in.identity},
                   {"samples", in.proof.items},
                   {"records", in.proof.records},
                   {"extraRecords", in.proof.extra_records},
                   {"repeated", fault_json(in.proof.repeated)},
                   {"conflicting", fault_json(in.proof.conflicting)},
                   {"failed", fault_json(in.proof.failed)},
                   {"foreign", fault_json(in.proof.foreign)},
                   {"faults", in.faults}};
    if (in.completeness_unknown)
        object["completeness"] = "Unknown";
    else
        object["missing"] = fault_json(in.proof.missing);
    if (in.files != nullptr) {
        object["files"] = Json::array();
        for (const OutputFile& file : *in.files)
            object["files"].push_back({{"path", file.path}, {"records", file.records}});
    } else {
        object["shards"] = Json::array();
        for (const ShardTrace& shard : in.shards) object["shards"].push_back(shard_json(shard));
        if (const std::uint64_t split = split_batches(in.shards); split > 0) object["splitBatches"] = split;
    }
    return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace evaljob
