#include "api/contract.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "api/runner_environment.hpp"

namespace evaljob {
namespace {

namespace env = runner_environment;

constexpr std::array<std::string_view, 31> reserved{"MASTER_ADDR",
                                                    "MASTER_PORT",
                                                    "WORLD_SIZE",
                                                    "LOCAL_WORLD_SIZE",
                                                    "NNODES",
                                                    "NODE_RANK",
                                                    "GROUP_RANK",
                                                    "NPROC_PER_NODE",
                                                    "RANK",
                                                    "LOCAL_RANK",
                                                    "PET_NNODES",
                                                    "PET_NPROC_PER_NODE",
                                                    "PET_NODE_RANK",
                                                    "PET_MASTER_ADDR",
                                                    "PET_MASTER_PORT",
                                                    "EVALJOB_NAME",
                                                    "EVALJOB_UID",
                                                    "EVALJOB_RUN_ID",
                                                    "EVALJOB_ATTEMPT",
                                                    "EVALJOB_OUTPUT_DIR",
                                                    "EVALJOB_SHARED_DIR",
                                                    env::run_folder,
                                                    env::spec_sha256,
                                                    env::merge,
                                                    env::identity,
                                                    env::writers,
                                                    env::storage_root,
                                                    env::http_port,
                                                    env::ready_timeout_seconds,
                                                    env::pod_ip,
                                                    env::termination_log};

/// Takes variables out of an environment and keeps the first complaint.
class Reader {
public:
    explicit Reader(const Environment& environment) : environment_(environment) {}

    std::string text(const char* name) {
        const auto found = environment_.find(name);
        if (found != environment_.end() && !found->second.empty()) return found->second;
        complain(std::string(name) + " is not set; the operator sets it in container runner and its init containers");
        return {};
    }

    std::int32_t number(const char* name) {
        const std::string value = text(name);
        if (value.empty()) return 0;
        std::int32_t number = 0;
        const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (failure != std::errc{} || end != value.data() + value.size()) {
            complain(std::string(name) + " must be a whole number of 32 bits, is \"" + value + "\"");
        }
        return number;
    }

    /// A second name of `same`: may be absent, but may not differ.
    void alias(const char* name, const char* same, std::int32_t expected) {
        if (!environment_.contains(name)) return;
        const std::int32_t value = number(name);
        if (value != expected) {
            complain(std::string(name) + " is " + std::to_string(value) + " but " + same + " is " +
                     std::to_string(expected) + "; they mean the same and must be equal");
        }
    }

    void complain(std::string message) {
        if (complaint_.empty()) complaint_ = std::move(message);
    }
    const std::string& complaint() const { return complaint_; }

private:
    const Environment& environment_;
    std::string complaint_;
};

std::string outside(const char* name, std::int64_t value, std::int64_t low, std::int64_t high, const char* why) {
    return std::string(name) + " is " + std::to_string(value) + ", must be from " + std::to_string(low) + " to " +
           std::to_string(high) + why;
}

std::string range_violation(const RankContract& c) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (c.num_nodes < 1) return outside("NNODES", c.num_nodes, 1, most, "");
    if (c.local_world_size < 1) return outside("LOCAL_WORLD_SIZE", c.local_world_size, 1, most, "");
    if (c.node_rank < 0 || c.node_rank >= c.num_nodes) {
        return outside("NODE_RANK", c.node_rank, 0, c.num_nodes - 1, " (NNODES - 1)");
    }
    if (c.local_rank < 0 || c.local_rank >= c.local_world_size) {
        return outside("LOCAL_RANK", c.local_rank, 0, c.local_world_size - 1, " (LOCAL_WORLD_SIZE - 1)");
    }
    if (c.master_port < 1 || c.master_port > 65535) return outside("MASTER_PORT", c.master_port, 1, 65535, "");
    if (c.attempt < 0) return outside("EVALJOB_ATTEMPT", c.attempt, 0, most, "");
    return {};
}

}  // namespace

std::string value_of(const Environment& environment, const std::string& name, const std::string& otherwise) {
    const auto found = environment.find(name);
    return found == environment.end() || found->second.empty() ? otherwise : found->second;
}

std::span<const std::string_view> reserved_variables() { return reserved; }

bool is_reserved_variable(std::string_view name) {
    return std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

Environment contract_environment(const RankContract& c) {
    const auto number = [](std::int64_t value) { return std::to_string(value); };
    const std::int64_t first_rank = std::int64_t{c.node_rank} * c.local_world_size;
    return Environment{
        {"MASTER_ADDR", c.master_addr},
        {"MASTER_PORT", number(c.master_port)},
        {"WORLD_SIZE", number(c.world_size)},
        {"LOCAL_WORLD_SIZE", number(c.local_world_size)},
        {"NNODES", number(c.num_nodes)},
        {"NODE_RANK", number(c.node_rank)},
        {"GROUP_RANK", number(c.node_rank)},
        {"NPROC_PER_NODE", number(c.local_world_size)},
        {"RANK", number(first_rank)},
        {"LOCAL_RANK", "0"},
        {"PET_NNODES", number(c.num_nodes)},
        {"PET_NPROC_PER_NODE", number(c.local_world_size)},
        {"PET_NODE_RANK", number(c.node_rank)},
        {"PET_MASTER_ADDR", c.master_addr},
        {"PET_MASTER_PORT", number(c.master_port)},
        {"EVALJOB_NAME", c.job_name},
        {"EVALJOB_UID", c.job_uid},
        {"EVALJOB_RUN_ID", c.run_id},
        {"EVALJOB_ATTEMPT", number(c.attempt)},
        {"EVALJOB_OUTPUT_DIR", c.output_dir},
        {"EVALJOB_SHARED_DIR", c.shared_dir},
    };
}

Result<RankContract> parse_contract(const Environment& environment) {
    Reader reader(environment);
    RankContract c;
    c.job_name = reader.text("EVALJOB_NAME");
    c.job_uid = reader.text("EVALJOB_UID");
    c.run_id = reader.text("EVALJOB_RUN_ID");
    c.attempt = reader.number("EVALJOB_ATTEMPT");
    c.num_nodes = reader.number("NNODES");
    c.local_world_size = reader.number("LOCAL_WORLD_SIZE");
    c.world_size = reader.number("WORLD_SIZE");
    c.node_rank = reader.number("NODE_RANK");
    c.local_rank = reader.number("LOCAL_RANK");
    c.rank = reader.number("RANK");
    reader.alias("GROUP_RANK", "NODE_RANK", c.node_rank);
    reader.alias("NPROC_PER_NODE", "LOCAL_WORLD_SIZE", c.local_world_size);
    c.master_addr = reader.text("MASTER_ADDR");
    c.master_port = reader.number("MASTER_PORT");
    c.output_dir = reader.text("EVALJOB_OUTPUT_DIR");
    c.shared_dir = reader.text("EVALJOB_SHARED_DIR");
    if (!reader.complaint().empty()) return fail("ContractViolated", reader.complaint());
    return c;
}

Result<RankContract> read_contract(const Environment& environment) {
    auto contract = parse_contract(environment);
    if (!contract) return contract;
    if (const auto violation = contract_violation(*contract); !violation.empty()) {
        return fail("ContractViolated", violation);
    }
    return contract;
}

std::string contract_violation(const RankContract& c) {
    if (std::string violation = range_violation(c); !violation.empty()) return violation;
    const auto number = [](std::int64_t value) { return std::to_string(value); };
    const std::int64_t size = std::int64_t{c.num_nodes} * c.local_world_size;
    if (c.world_size != size) {
        return "WORLD_SIZE is " + number(c.world_size) + " but NNODES " + number(c.num_nodes) + " · LOCAL_WORLD_SIZE " +
               number(c.local_world_size) + " is " + number(size);
    }
    const std::int64_t rank = std::int64_t{c.node_rank} * c.local_world_size + c.local_rank;
    if (c.rank != rank) {
        std::string violation = "RANK is " + number(c.rank) + " but NODE_RANK " + number(c.node_rank) +
                                " · LOCAL_WORLD_SIZE " + number(c.local_world_size) + " + LOCAL_RANK " +
                                number(c.local_rank) + " is " + number(rank);
        if (c.rank == c.local_rank) violation += "; RANK was set to LOCAL_RANK";
        return violation;
    }
    return {};
}

}  // namespace evaljob
