#include "evaljob-runner/merge/chrome_trace.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "api/json.hpp"

namespace evaljob {

namespace {

Json name_event(const char* what, std::int32_t node, std::int32_t rank, const std::string& name) {
    return {{"name", what}, {"ph", "M"}, {"pid", node}, {"tid", rank}, {"args", {{"name", name}}}};
}

Json batch_event(const ShardHeader& header, const BatchEnd& batch, std::int64_t start_us) {
    return {{"name", "batch " + std::to_string(batch.batch)},
            {"cat", "batch"},
            {"ph", "X"},
            {"pid", header.node_rank},
            {"tid", header.rank},
            {"ts", batch.begin_us - start_us},
            {"dur", std::max<std::int64_t>(0, batch.end_us - batch.begin_us)},
            {"args", {{"samples", batch.samples}, {"lease", text_of(batch.lease)}, {"attempt", header.attempt}}}};
}

}  // namespace

std::string chrome_trace(const std::vector<ShardTrace>& shards) {
    std::int64_t start_us = std::numeric_limits<std::int64_t>::max();
    for (const ShardTrace& shard : shards)
        for (const BatchEnd& batch : shard.batches) start_us = std::min(start_us, batch.begin_us);
    Json events = Json::array();
    std::set<std::int32_t> nodes;
    std::set<std::int32_t> ranks;
    for (const ShardTrace& shard : shards) {
        const ShardHeader& header = shard.header;
        if (nodes.insert(header.node_rank).second)
            events.push_back(
                name_event("process_name", header.node_rank, 0, "node " + std::to_string(header.node_rank)));
        if (ranks.insert(header.rank).second)
            events.push_back(name_event("thread_name", header.node_rank, header.rank,
                                        "rank " + std::to_string(header.rank) + ", " + header.device));
        for (const BatchEnd& batch : shard.batches) events.push_back(batch_event(header, batch, start_us));
    }
    return Json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}}.dump(-1, ' ', false,
                                                                                    Json::error_handler_t::replace);
}

}  // namespace evaljob
