// What a launcher does when one of its ranks has ended. Pure.
#pragma once

#include <deque>
#include <string>
#include <variant>

#include "api/exit_code.hpp"

namespace evaljob {

struct RestartRank {};
struct RankFinished {};
/// The node ends with this status; its other ranks are told to stop.
struct EndNode {
    int exit_code = 1;
};
using RankDecision = std::variant<RankFinished, RestartRank, EndNode>;

/// `status` as a shell gives it: 128 + the signal's number when one ended the rank.
inline RankDecision decide_rank_exit(int status, int restarts_used, int max_restarts) {
    if (status == exit_code::success) return RankFinished{};
    if (exit_code::is_final(status) || status == exit_code::unavailable) return EndNode{status};
    if (restarts_used < max_restarts) return RestartRank{};
    return EndNode{status};
}

/// What a rank said last as an error, without the time in front (launch/start_logging.hpp); empty when it said none.
inline std::string last_error(const std::deque<std::string>& lines) {
    static const std::string level = "Z error ";
    constexpr std::size_t at = 23;  // behind "2026-11-22T17:24:58.990"
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        if (line->size() > at && line->compare(at, level.size(), level) == 0) return line->substr(at + level.size());
    }
    return "";
}

}  // namespace evaljob
