#include "evaljob-runner/shard/done_marker.hpp"

#include <algorithm>
#include <filesystem>

#include "api/digest.hpp"
#include "api/json.hpp"

namespace evaljob {

namespace {

Json shard_to_json(const DoneShard& shard) {
    return {{"path", shard.path}, {"length", shard.length}, {"sha256", shard.sha256}, {"records", shard.records}};
}

Json body_of(const DoneMarker& marker) {
    Json shards = Json::array();
    for (const auto& shard : marker.shards) shards.push_back(shard_to_json(shard));
    return {{"format", 1},
            {"identity", marker.identity},
            {"epoch", marker.epoch},
            {"items", marker.items},
            {"shards", std::move(shards)}};
}

bool stays_inside(const std::string& path) {
    const std::filesystem::path p(path);
    return !path.empty() && p.is_relative() && std::find(p.begin(), p.end(), "..") == p.end();
}

}  // namespace

std::string encode_done_marker(const DoneMarker& marker) {
    Json fields = body_of(marker);
    fields["digest"] = sha256_hex(body_of(marker).dump());
    return fields.dump(1) + "\n";
}

Result<DoneMarker> decode_done_marker(std::string_view bytes) {
    try {
        const Json fields = Json::parse(bytes);
        DoneMarker marker;
        if (fields.at("format") != 1)
            return fail("Damaged", "the done marker is of format " + fields.at("format").dump());
        marker.identity = fields.at("identity").get<std::string>();
        marker.epoch = fields.at("epoch").get<std::uint32_t>();
        marker.items = fields.at("items").get<std::uint64_t>();
        for (const Json& shard : fields.at("shards")) {
            marker.shards.push_back({shard.at("path").get<std::string>(), shard.at("length").get<std::uint64_t>(),
                                     shard.at("sha256").get<std::string>(), shard.at("records").get<std::uint64_t>()});
            if (!stays_inside(marker.shards.back().path)) {
                return fail("Damaged",
                            "the done marker names a shard outside its folder: " + marker.shards.back().path);
            }
        }
        if (fields.at("digest") != sha256_hex(body_of(marker).dump())) {
            return fail("Damaged", "the done marker's digest is not that of its content");
        }
        return marker;
    } catch (const Json::exception& error) {
        return fail("Damaged", std::string("the done marker does not read: ") + error.what());
    }
}

}  // namespace evaljob
