// A coordinator and the sentences in which its tests speak to it.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "evaljob-runner/coordinator/coordinator.hpp"
#include "tests/unit/runner/hellos.hpp"

namespace evaljob::test {

template <class T>
std::vector<T> all_of(const Effects& effects) {
    std::vector<T> found;
    for (const Effect& effect : effects) {
        if (const auto* one = std::get_if<T>(&effect)) found.push_back(*one);
    }
    return found;
}

/// What was sent of one type, by session.
template <class T>
std::vector<std::pair<SessionId, T>> sent(const Effects& effects) {
    std::vector<std::pair<SessionId, T>> found;
    for (const Send& send : all_of<Send>(effects)) {
        if (const auto* one = std::get_if<T>(&send.message)) found.emplace_back(send.session, *one);
    }
    return found;
}

/// The batches that were leased out, as (session, batch), in the order of the leases.
inline std::vector<std::pair<SessionId, std::uint64_t>> leased(const Effects& effects) {
    std::vector<std::pair<SessionId, std::uint64_t>> batches;
    for (const auto& [session, lease] : sent<Lease>(effects)) batches.emplace_back(session, lease.batch);
    return batches;
}

inline std::vector<BatchState> batches_of(const std::vector<std::uint32_t>& items) {
    std::vector<BatchState> batches;
    for (const auto count : items) batches.push_back({count, false});
    return batches;
}

/// A job of one node; session N is rank N - 1.
class CoordinatorRun {
public:
    static constexpr std::int32_t ranks = 8;

    /// `expected`: the ranks among which the work will be spread. Of one, the first that comes gets what it wants.
    explicit CoordinatorRun(const std::vector<BatchState>& batches, std::uint32_t epoch = 1,
                            std::int32_t expected = ranks)
        : coordinator(options(epoch, expected), batches) {}

    static CoordinatorOptions options(std::uint32_t epoch, std::int32_t expected = ranks) {
        CoordinatorOptions options;
        options.expected = expected_of(1, ranks);
        options.expected.world_size = expected;
        options.token = run_token;
        options.identity = "identity";
        options.epoch = epoch;
        return options;
    }

    static Hello hello(SessionId session) { return hello_of(1, ranks, 0, static_cast<std::int32_t>(session) - 1); }

    Effects say(SessionId session, const Message& message) {
        Effects effects = coordinator.message(session, message, now);
        for (const auto& [to, lease] : sent<Lease>(effects)) last_lease[to] = lease;
        return effects;
    }
    Effects join(SessionId session, std::uint32_t wanted = 0) {
        Effects effects = say(session, hello(session));
        if (wanted > 0) {
            for (auto& effect : say(session, Want{wanted})) effects.push_back(std::move(effect));
        }
        return effects;
    }
    Effects done(SessionId session, const Lease& lease, std::int64_t compute_us = 0, std::uint32_t failed = 0) {
        return say(session, Done{lease.number, lease.batch, 1, failed, compute_us});
    }
    Effects drop(SessionId session) { return coordinator.disconnected(session, now); }
    /// Time passes in seconds, as the shell ticks; these sessions go on to be heard.
    Effects pass(std::int64_t seconds, const std::vector<SessionId>& heard) {
        Effects all;
        for (std::int64_t i = 0; i < seconds; ++i) {
            now += 1'000;
            for (const SessionId session : heard) {
                for (auto& effect : say(session, Heartbeat{})) all.push_back(std::move(effect));
            }
            for (auto& effect : coordinator.tick(now)) all.push_back(std::move(effect));
        }
        return all;
    }
    CoordinatorProgress progress() const { return coordinator.progress(now); }

    Coordinator coordinator;
    Milliseconds now = 1'000'000;
    std::map<SessionId, Lease> last_lease;
};

}  // namespace evaljob::test
