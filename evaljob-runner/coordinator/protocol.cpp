#include "evaljob-runner/coordinator/protocol.hpp"

#include <algorithm>
#include <exception>

#include "api/base64.hpp"
#include "api/json_text.hpp"

namespace evaljob {

namespace {

constexpr std::int64_t longest_batch_us = 1'000'000'000'000;  // eleven days; sums of many such still fit 64 bits
constexpr std::size_t longest_complaint = 200;                // the library's messages quote what they could not read

Json lease_json(const LeaseNumber& n) { return Json::array({n.epoch, n.counter}); }

LeaseNumber lease_from(const Json& j) {
    return {number_from<std::uint32_t>(j.at(0)), number_from<std::uint64_t>(j.at(1))};
}

Json contract_json(const RankContract& c) {
    return {{"runId", c.run_id},
            {"attempt", c.attempt},
            {"rank", c.rank},
            {"localRank", c.local_rank},
            {"nodeRank", c.node_rank},
            {"worldSize", c.world_size},
            {"localWorldSize", c.local_world_size},
            {"nodes", c.num_nodes},
            {"masterPort", c.master_port}};
}

RankContract contract_from(const Json& j) {
    RankContract c;
    c.run_id = j.at("runId").get<std::string>();
    c.attempt = number_from<std::int32_t>(j.at("attempt"));
    c.rank = number_from<std::int32_t>(j.at("rank"));
    c.local_rank = number_from<std::int32_t>(j.at("localRank"));
    c.node_rank = number_from<std::int32_t>(j.at("nodeRank"));
    c.world_size = number_from<std::int32_t>(j.at("worldSize"));
    c.local_world_size = number_from<std::int32_t>(j.at("localWorldSize"));
    c.num_nodes = number_from<std::int32_t>(j.at("nodes"));
    c.master_port = number_from<std::int32_t>(j.at("masterPort"));
    return c;
}

Json held_json(const std::vector<HeldLease>& held) {
    Json list = Json::array();
    for (const auto& h : held) list.push_back({{"lease", lease_json(h.lease)}, {"batch", h.batch}});
    return list;
}

Json device_json(const DeviceChoice& device) {
    Json object{{"kind", device.kind}, {"index", device.index}, {"visible", device.visible}};
    if (device.count != 1) object["count"] = device.count;
    return object;
}

struct Encode {
    Json operator()(const Hello& m) const {
        return {{"type", "hello"},          {"version", m.version},
                {"token", m.token},         {"contract", contract_json(m.contract)},
                {"restart", m.restart},     {"device", device_json(m.device)},
                {"host", m.host},           {"pid", m.pid},
                {"held", held_json(m.held)}};
    }
    Json operator()(const Want& m) const { return {{"type", "want"}, {"leases", m.leases}}; }
    Json operator()(const Append& m) const {
        return {{"type", "append"}, {"offset", m.offset}, {"bytes", base64_encode(m.bytes)}};
    }
    Json operator()(const Done& m) const {
        Json object{{"type", "done"},     {"lease", lease_json(m.lease)}, {"batch", m.batch}, {"samples", m.samples},
                    {"failed", m.failed}, {"computeUs", m.compute_us},    {"log", m.log}};
        if (!m.failure.empty()) object["failure"] = m.failure;
        return object;
    }
    Json operator()(const Return& m) const { return {{"type", "return"}, {"lease", lease_json(m.lease)}}; }
    Json operator()(const Heartbeat& m) const {
        Json object{{"type", "heartbeat"}};
        if (!m.waiting_for.empty()) object["waitingFor"] = m.waiting_for;
        return object;
    }
    Json operator()(const Abort& m) const {
        return {{"type", "abort"}, {"exitCode", m.exit_code}, {"message", m.message}};
    }
    Json operator()(const Welcome& m) const {
        return {{"type", "welcome"}, {"epoch", m.epoch}, {"identity", m.identity}, {"heartbeatMs", m.heartbeat_ms}};
    }
    Json operator()(const Refused& m) const {
        return {{"type", "refused"}, {"exitCode", m.exit_code}, {"message", m.message}};
    }
    Json operator()(const Lease& m) const {
        return {{"type", "lease"}, {"lease", lease_json(m.number)}, {"batch", m.batch}};
    }
    Json operator()(const Ack& m) const { return {{"type", "ack"}, {"lease", lease_json(m.lease)}}; }
    Json operator()(const Finished&) const { return {{"type", "finished"}}; }
    Json operator()(const Join& m) const { return {{"type", "join"}, {"address", m.address}}; }
    Json operator()(const Group& m) const {
        return {{"type", "group"}, {"generation", m.generation}, {"self", m.self}, {"members", m.members}};
    }
};

/// A text for a person, which need not be there.
std::string said(const Json& j, const char* key) {
    std::string text = j.contains(key) ? j.at(key).get<std::string>() : "";
    if (text.size() > max_said_bytes) throw std::out_of_range(std::string(key) + " is too long");
    return text;
}

Hello hello_from(const Json& j) {
    Hello m;
    m.version = number_from<int>(j.at("version"));
    m.token = j.at("token").get<std::string>();
    m.contract = contract_from(j.at("contract"));
    m.restart = number_from<std::int32_t>(j.at("restart"));
    const Json& device = j.at("device");
    m.device = {device.at("kind").get<std::string>(), number_from<std::int32_t>(device.at("index")),
                device.at("visible").get<std::vector<std::string>>(),
                device.contains("count") ? number_from<std::int32_t>(device.at("count")) : 1};
    m.host = j.at("host").get<std::string>();
    m.pid = number_from<std::int32_t>(j.at("pid"));
    for (const Json& h : j.at("held"))
        m.held.push_back({lease_from(h.at("lease")), number_from<std::uint64_t>(h.at("batch"))});
    return m;
}

/// Of a file, not of a path.
bool is_log_name(const std::string& name) {
    return name.size() <= 255 && name.front() != '.' && name.ends_with(".shard") &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > ' ' && c < 0x7F && c != '/'; });
}

Done done_from(const Json& j) {
    const auto compute_us = number_from<std::int64_t>(j.at("computeUs"));
    if (compute_us < 0 || compute_us > longest_batch_us) throw std::out_of_range("computeUs is out of range");
    auto log = j.at("log").get<std::string>();
    if (!log.empty() && !is_log_name(log)) throw std::invalid_argument("log is no name of a shard log");
    return {lease_from(j.at("lease")),
            number_from<std::uint64_t>(j.at("batch")),
            number_from<std::uint32_t>(j.at("samples")),
            number_from<std::uint32_t>(j.at("failed")),
            compute_us,
            said(j, "failure"),
            std::move(log)};
}

Append append_from(const Json& j) {
    auto bytes = base64_decode(j.at("bytes").get<std::string>());
    if (!bytes) throw std::invalid_argument("bytes are no base64");
    return {number_from<std::uint64_t>(j.at("offset")), std::move(*bytes)};
}

Group group_from(const Json& j) {
    Group m{number_from<std::uint64_t>(j.at("generation")), number_from<std::uint32_t>(j.at("self")),
            j.at("members").get<std::vector<std::string>>()};
    if (m.self >= m.members.size()) throw std::out_of_range("self is none of the members");
    return m;
}

Result<Message> from_json(const Json& j) {
    const auto type = j.at("type").get<std::string>();
    if (type == "hello") return hello_from(j);
    if (type == "want") return Want{number_from<std::uint32_t>(j.at("leases"))};
    if (type == "append") return append_from(j);
    if (type == "done") return done_from(j);
    if (type == "return") return Return{lease_from(j.at("lease"))};
    if (type == "heartbeat") return Heartbeat{said(j, "waitingFor")};
    if (type == "abort") return Abort{number_from<int>(j.at("exitCode")), j.at("message").get<std::string>()};
    if (type == "welcome") {
        return Welcome{number_from<std::uint32_t>(j.at("epoch")), j.at("identity").get<std::string>(),
                       number_from<std::int32_t>(j.at("heartbeatMs"))};
    }
    if (type == "refused") return Refused{number_from<int>(j.at("exitCode")), j.at("message").get<std::string>()};
    if (type == "lease") return Lease{lease_from(j.at("lease")), number_from<std::uint64_t>(j.at("batch"))};
    if (type == "ack") return Ack{lease_from(j.at("lease"))};
    if (type == "finished") return Finished{};
    if (type == "join") return Join{j.at("address").get<std::string>()};
    if (type == "group") return group_from(j);
    return fail("BadMessage", "a message of unknown type: " + type.substr(0, 40));
}

}  // namespace

std::string encode_message(const Message& message) {
    return std::visit(Encode{}, message).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Message> decode_message(std::string_view bytes) {
    try {
        const Json object = parse_json(bytes);
        if (!object.is_object()) return fail("BadMessage", "a message is no JSON object");
        return from_json(object);
    } catch (const std::exception& error) {
        return fail("BadMessage", "a message does not read: " + std::string(error.what()).substr(0, longest_complaint));
    }
}

}  // namespace evaljob
