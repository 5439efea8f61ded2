#include "evaljob-runner/shard/shard_json.hpp"

#include <algorithm>
#include <charconv>

namespace evaljob {

std::string encode_shard_header(const ShardHeader& h) {
    return Json{{"identity", h.identity},    {"runId", h.run_id},      {"rank", h.rank},     {"nodeRank", h.node_rank},
                {"localRank", h.local_rank}, {"attempt", h.attempt},   {"device", h.device}, {"library", h.library},
                {"threads", h.threads},      {"openedUs", h.opened_us}}
        .dump();
}

Result<ShardHeader> decode_shard_header(std::string_view bytes) {
    // at() and get() throw on whatever does not fit; this is the boundary at which that becomes an Error.
    try {
        const Json fields = Json::parse(bytes);
        ShardHeader h;
        h.identity = fields.at("identity").get<std::string>();
        h.run_id = fields.at("runId").get<std::string>();
        h.rank = fields.at("rank").get<std::int32_t>();
        h.node_rank = fields.at("nodeRank").get<std::int32_t>();
        h.local_rank = fields.at("localRank").get<std::int32_t>();
        h.attempt = fields.at("attempt").get<std::int32_t>();
        h.device = fields.at("device").get<std::string>();
        h.library = fields.at("library").get<std::string>();
        h.threads = fields.at("threads").get<std::int32_t>();
        h.opened_us = fields.at("openedUs").get<std::int64_t>();
        return h;
    } catch (const Json::exception& error) {
        return fail("Damaged", std::string("a shard header does not read: ") + error.what());
    }
}

std::string encode_batch_end(const BatchEnd& e) {
    return Json::array({e.batch, e.lease.epoch, e.lease.counter, e.begin_us, e.end_us, e.samples}).dump();
}

Result<BatchEnd> decode_batch_end(std::string_view bytes) {
    try {
        const Json fields = Json::parse(bytes);
        BatchEnd e;
        e.batch = fields.at(0).get<std::uint64_t>();
        e.lease = {fields.at(1).get<std::uint32_t>(), fields.at(2).get<std::uint64_t>()};
        e.begin_us = fields.at(3).get<std::int64_t>();
        e.end_us = fields.at(4).get<std::int64_t>();
        e.samples = fields.at(5).get<std::uint32_t>();
        return e;
    } catch (const Json::exception& error) {
        return fail("Damaged", std::string("the end of a batch does not read: ") + error.what());
    }
}

std::string encode_footer(const ShardFooter& footer) {
    const std::string count = std::to_string(footer.records);
    return std::string(20 - count.size(), '0') + count + footer.sha256;
}

Result<ShardFooter> decode_footer(std::string_view bytes) {
    if (bytes.size() != footer_payload_size) return fail("Damaged", "a footer is not of a footer's length");
    ShardFooter footer;
    const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + 20, footer.records);
    if (error != std::errc() || end != bytes.data() + 20) return fail("Damaged", "a footer's count does not read");
    footer.sha256 = bytes.substr(20);
    return footer;
}

}  // namespace evaljob
