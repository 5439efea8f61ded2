#include "evaljob-runner/shard/shard_json.hpp"

#include <algorithm>
#include <charconv>
#include <exception>

#include "api/json_text.hpp"

namespace evaljob {

std::string encode_shard_header(const ShardHeader& h) {
    return Json{{"identity", h.identity},    {"runId", h.run_id},      {"rank", h.rank},     {"nodeRank", h.node_rank},
                {"localRank", h.local_rank}, {"attempt", h.attempt},   {"device", h.device}, {"library", h.library},
                {"threads", h.threads},      {"openedUs", h.opened_us}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ShardHeader> decode_shard_header(std::string_view bytes) {
    // at(), get() and number_from() throw on whatever does not fit; this is the boundary at which that becomes an
    // Error.
    try {
        const Json fields = parse_json(bytes);
        if (!fields.is_object()) return fail("Damaged", "a shard header is no JSON object");
        ShardHeader h;
        h.identity = fields.at("identity").get<std::string>();
        h.run_id = fields.at("runId").get<std::string>();
        h.rank = number_from<std::int32_t>(fields.at("rank"));
        h.node_rank = number_from<std::int32_t>(fields.at("nodeRank"));
        h.local_rank = number_from<std::int32_t>(fields.at("localRank"));
        h.attempt = number_from<std::int32_t>(fields.at("attempt"));
        h.device = fields.at("device").get<std::string>();
        h.library = fields.at("library").get<std::string>();
        h.threads = number_from<std::int32_t>(fields.at("threads"));
        h.opened_us = number_from<std::int64_t>(fields.at("openedUs"));
        return h;
    } catch (const std::exception& error) {
        return fail("Damaged", std::string("a shard header does not read: ") + error.what());
    }
}

std::string encode_batch_end(const BatchEnd& e) {
    Json fields = Json::array({e.batch, e.lease.epoch, e.lease.counter, e.begin_us, e.end_us, e.samples});
    if (e.parts > 1) fields.push_back(e.parts);
    return fields.dump();
}

Result<BatchEnd> decode_batch_end(std::string_view bytes) {
    try {
        const Json fields = parse_json(bytes);
        if (!fields.is_array() || fields.size() < 6 || fields.size() > 7)
            return fail("Damaged", "the end of a batch is not an array of 6 or 7 fields");
        BatchEnd e;
        e.batch = number_from<std::uint64_t>(fields.at(0));
        e.lease = {number_from<std::uint32_t>(fields.at(1)), number_from<std::uint64_t>(fields.at(2))};
        e.begin_us = number_from<std::int64_t>(fields.at(3));
        e.end_us = number_from<std::int64_t>(fields.at(4));
        e.samples = number_from<std::uint32_t>(fields.at(5));
        if (fields.size() == 7) e.parts = number_from<std::uint32_t>(fields.at(6));
        if (fields.size() == 7 && e.parts < 2) return fail("Damaged", "the end of a batch has less than 2 parts");
        return e;
    } catch (const std::exception& error) {
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
