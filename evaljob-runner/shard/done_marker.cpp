#include "evaljob-runner/shard/done_marker.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>

#include "api/digest.hpp"
#include "api/json_text.hpp"

namespace evaljob {

namespace {

Json shard_to_json(const DoneShard& shard) {
    return {{"path", shard.path}, {"length", shard.length}, {"sha256", shard.sha256}, {"records", shard.records}};
}

Json body_of(const DoneMarker& marker) {
    Json shards = Json::array();
    for (const auto& shard : marker.shards) shards.push_back(shard_to_json(shard));
    Json body{{"format", 1},
              {"identity", marker.identity},
              {"epoch", marker.epoch},
              {"items", marker.items},
              {"shards", std::move(shards)}};
    if (!marker.run_id.empty()) body["runId"] = marker.run_id;
    return body;
}

bool stays_inside(const std::string& path) {
    const std::filesystem::path p(path);
    return !path.empty() && p.is_relative() && std::find(p.begin(), p.end(), "..") == p.end();
}

std::string digest_of(const DoneMarker& marker) {
    return sha256_hex(body_of(marker).dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

std::string encode_done_marker(const DoneMarker& marker) {
    Json fields = body_of(marker);
    fields["digest"] = digest_of(marker);
    return fields.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<DoneMarker> decode_done_marker(std::string_view bytes) {
    try {
        const Json fields = parse_json(bytes);
        if (!fields.is_object()) return fail("Damaged", "the done marker is no JSON object");
        DoneMarker marker;
        if (number_from<int>(fields.at("format")) != 1)
            return fail("Damaged", "the done marker is of format " + fields.at("format").dump());
        marker.identity = fields.at("identity").get<std::string>();
        marker.epoch = number_from<std::uint32_t>(fields.at("epoch"));
        marker.items = number_from<std::uint64_t>(fields.at("items"));
        if (fields.contains("runId")) marker.run_id = fields.at("runId").get<std::string>();
        if (!fields.at("shards").is_array()) return fail("Damaged", "the done marker's shards are no list");
        for (const Json& shard : fields.at("shards")) {
            marker.shards.push_back(
                {shard.at("path").get<std::string>(), number_from<std::uint64_t>(shard.at("length")),
                 shard.at("sha256").get<std::string>(), number_from<std::uint64_t>(shard.at("records"))});
            if (!stays_inside(marker.shards.back().path)) {
                return fail("Damaged",
                            "the done marker names a shard outside its folder: " + marker.shards.back().path);
            }
        }
        if (fields.at("digest") != digest_of(marker)) {
            return fail("Damaged", "the done marker's digest is not that of its content");
        }
        return marker;
    } catch (const std::exception& error) {
        return fail("Damaged", std::string("the done marker does not read: ") + error.what());
    }
}

}  // namespace evaljob
