#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob {

namespace {

Json lease_json(const LeaseNumber& n) { return Json::array({n.epoch, n.counter}); }

LeaseNumber lease_from(const Json& j) { return {j.at(0).get<std::uint32_t>(), j.at(1).get<std::uint64_t>()}; }

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
    c.attempt = j.at("attempt").get<std::int32_t>();
    c.rank = j.at("rank").get<std::int32_t>();
    c.local_rank = j.at("localRank").get<std::int32_t>();
    c.node_rank = j.at("nodeRank").get<std::int32_t>();
    c.world_size = j.at("worldSize").get<std::int32_t>();
    c.local_world_size = j.at("localWorldSize").get<std::int32_t>();
    c.num_nodes = j.at("nodes").get<std::int32_t>();
    c.master_port = j.at("masterPort").get<std::int32_t>();
    return c;
}

Json held_json(const std::vector<HeldLease>& held) {
    Json list = Json::array();
    for (const auto& h : held) list.push_back({{"lease", lease_json(h.lease)}, {"batch", h.batch}});
    return list;
}

struct Encode {
    Json operator()(const Hello& m) const {
        return {{"type", "hello"},
                {"version", m.version},
                {"token", m.token},
                {"contract", contract_json(m.contract)},
                {"restart", m.restart},
                {"device", {{"kind", m.device.kind}, {"index", m.device.index}, {"visible", m.device.visible}}},
                {"host", m.host},
                {"pid", m.pid},
                {"held", held_json(m.held)}};
    }
    Json operator()(const Want& m) const { return {{"type", "want"}, {"leases", m.leases}}; }
    Json operator()(const Done& m) const {
        return {{"type", "done"},       {"lease", lease_json(m.lease)}, {"batch", m.batch},
                {"samples", m.samples}, {"failed", m.failed},           {"computeUs", m.compute_us}};
    }
    Json operator()(const Return& m) const { return {{"type", "return"}, {"lease", lease_json(m.lease)}}; }
    Json operator()(const Heartbeat&) const { return {{"type", "heartbeat"}}; }
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
};

Hello hello_from(const Json& j) {
    Hello m;
    m.version = j.at("version").get<int>();
    m.token = j.at("token").get<std::string>();
    m.contract = contract_from(j.at("contract"));
    m.restart = j.at("restart").get<std::int32_t>();
    const Json& device = j.at("device");
    m.device = {device.at("kind").get<std::string>(), device.at("index").get<std::int32_t>(),
                device.at("visible").get<std::vector<std::string>>()};
    m.host = j.at("host").get<std::string>();
    m.pid = j.at("pid").get<std::int32_t>();
    for (const Json& h : j.at("held"))
        m.held.push_back({lease_from(h.at("lease")), h.at("batch").get<std::uint64_t>()});
    return m;
}

Done done_from(const Json& j) {
    return {lease_from(j.at("lease")), j.at("batch").get<std::uint64_t>(), j.at("samples").get<std::uint32_t>(),
            j.at("failed").get<std::uint32_t>(), j.at("computeUs").get<std::int64_t>()};
}

Result<Message> from_json(const Json& j) {
    const auto type = j.at("type").get<std::string>();
    if (type == "hello") return hello_from(j);
    if (type == "want") return Want{j.at("leases").get<std::uint32_t>()};
    if (type == "done") return done_from(j);
    if (type == "return") return Return{lease_from(j.at("lease"))};
    if (type == "heartbeat") return Heartbeat{};
    if (type == "abort") return Abort{j.at("exitCode").get<int>(), j.at("message").get<std::string>()};
    if (type == "welcome") {
        return Welcome{j.at("epoch").get<std::uint32_t>(), j.at("identity").get<std::string>(),
                       j.at("heartbeatMs").get<std::int32_t>()};
    }
    if (type == "refused") return Refused{j.at("exitCode").get<int>(), j.at("message").get<std::string>()};
    if (type == "lease") return Lease{lease_from(j.at("lease")), j.at("batch").get<std::uint64_t>()};
    if (type == "ack") return Ack{lease_from(j.at("lease"))};
    if (type == "finished") return Finished{};
    return fail("BadMessage", "a message of unknown type: " + type.substr(0, 40));
}

}  // namespace

std::string encode_message(const Message& message) {
    return std::visit(Encode{}, message).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Message> decode_message(std::string_view bytes) {
    try {
        return from_json(Json::parse(bytes));
    } catch (const Json::exception& error) {
        return fail("BadMessage", std::string("a message does not read: ") + error.what());
    }
}

}  // namespace evaljob
