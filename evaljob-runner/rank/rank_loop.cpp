#include "evaljob-runner/rank/rank_loop.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/assert.hpp"

namespace evaljob {

// The connection.

Hello RankLoop::greeting() {
    EVALJOB_ASSERT(!connected_ && to_say_.empty(), "what was to be said on one connection is not said on the next");
    connected_ = true;
    return session_.greeting();
}

RankEffects RankLoop::heard(const Message& message) {
    RankEffects effects;
    const std::size_t held = session_.held().size();
    say(session_.take(message), effects);
    if (const auto* lease = std::get_if<Lease>(&message); lease != nullptr && session_.held().size() > held)
        prepare(*lease, effects);
    if (session_.is_superfluous()) effects.emplace_back(Superfluous{});
    step_engine(effects);
    return effects;
}

void RankLoop::disconnected() {
    connected_ = false;
    to_say_.clear();
    session_.disconnected();
}

std::vector<Message> RankLoop::messages() { return std::exchange(to_say_, {}); }

RankEffects RankLoop::end(SessionEnd end) {
    RankEffects effects;
    session_.end(std::move(end));
    step_engine(effects);
    return effects;
}

RankEffects RankLoop::leave() {
    RankEffects effects;
    say(session_.leave(), effects);
    step_engine(effects);
    return effects;
}

void RankLoop::say(std::vector<Message> messages, RankEffects& effects) {
    if (!connected_ || messages.empty()) return;
    std::move(messages.begin(), messages.end(), std::back_inserter(to_say_));
    effects.emplace_back(Speak{});
}

// The engine.

RankEffects RankLoop::ready(std::size_t batches_at_once) {
    EVALJOB_ASSERT(engine_ == EngineIs::Starting, "an engine becomes ready once");
    RankEffects effects;
    engine_ = EngineIs::Free;
    has_room_for(batches_at_once, effects);
    step_engine(effects);
    return effects;
}

RankEffects RankLoop::begun() {
    EVALJOB_ASSERT(engine_ == EngineIs::Beginning, "only what was to be begun is");
    RankEffects effects;
    engine_ = EngineIs::Free;
    step_engine(effects);
    return effects;
}

RankEffects RankLoop::computed(EvaluatedLease evaluated, std::size_t batches_at_once) {
    EVALJOB_ASSERT(engine_ == EngineIs::Awaited, "an engine answers whoever waits for it");
    const bool was_begun = begun_.erase(evaluated.lease.number) == 1;
    EVALJOB_ASSERT(was_begun, "a batch is computed once for each time that it was begun");
    RankEffects effects;
    engine_ = EngineIs::Free;
    gathered_.push_back(std::move(evaluated));
    write(effects);
    has_room_for(batches_at_once, effects);
    step_engine(effects);
    return effects;
}

RankEffects RankLoop::engine_failed(Error error) {
    EVALJOB_ASSERT(engine_ == EngineIs::Beginning || engine_ == EngineIs::Awaited, "an engine fails at what it does");
    RankEffects effects;
    engine_ = EngineIs::Free;
    failure_ = std::move(error);
    step_engine(effects);
    return effects;
}

/// As the engine is free to take another batch: how many leases to hold from now on.
void RankLoop::has_room_for(std::size_t batches, RankEffects& effects) {
    EVALJOB_ASSERT(batches > 0, "an engine can have a batch");
    batches_at_once_ = batches;
    most_at_once_ = std::max(most_at_once_, batches);
    if (!goes_on()) return;
    const LeaseCounts leases = session_.lease_counts();
    EVALJOB_ASSERT(leases.taken >= begun_.size(), "whatever is computed was taken from the queue");
    ahead_.engine_has_room(leases.at_hand, leases.taken - begun_.size());
    const std::size_t wanted = batches_at_once_ + ahead_.leases();
    EVALJOB_ASSERT(wanted <= most_leases(batches_at_once_), "a kill costs a bounded number of batches");
    say(session_.want(static_cast<std::uint32_t>(wanted)), effects);
}

void RankLoop::prepare(const Lease& lease, RankEffects& effects) const {
    if (engine_ != EngineIs::Starting && goes_on()) effects.emplace_back(Prepare{lease});
}

/// What it does next, if it has nothing to do.
void RankLoop::step_engine(RankEffects& effects) {
    check();
    if (engine_ != EngineIs::Free) return;
    if (goes_on() && begun_.size() < batches_at_once_) {
        if (const auto lease = session_.next_lease()) {
            const bool first_time = begun_.insert(lease->number).second;
            EVALJOB_ASSERT(first_time, "a lease is computed once");
            engine_ = EngineIs::Beginning;
            effects.emplace_back(BeginBatch{*lease});
            return;
        }
    }
    if (!begun_.empty() && !failure_) {
        engine_ = EngineIs::Awaited;
        effects.emplace_back(AwaitBatch{});
    } else if (!goes_on() && log_is_idle()) {
        engine_ = EngineIs::Stopped;
        effects.emplace_back(StopWork{failure_ ? Result<SessionEnd>(tl::unexpected(*failure_)) : *session_.ended()});
    }
}

// The log.

/// What has gathered, if nothing is being written.
void RankLoop::write(RankEffects& effects) {
    if (!writing_.empty() || gathered_.empty() || log_failed_) return;
    for (const EvaluatedLease& evaluated : gathered_) writing_.push_back(evaluated.lease.number);
    effects.emplace_back(WriteRecords{std::exchange(gathered_, {})});
}

RankEffects RankLoop::written(std::vector<Report> reports) {
    EVALJOB_ASSERT(!writing_.empty() && !log_failed_, "only what is being written becomes durable");
    EVALJOB_ASSERT(reports.size() == writing_.size(), "each lease of a group is reported");
    RankEffects effects;
    for (std::size_t i = 0; i < reports.size(); ++i) {
        EVALJOB_ASSERT(reports[i].done.lease == writing_[i], "what is reported is what was written");
        EVALJOB_ASSERT(session_.held().contains(writing_[i]), "a lease is held until it is reported");
        session_.done(std::move(reports[i]));
    }
    writing_.clear();
    say(session_.unsaid(), effects);
    write(effects);
    step_engine(effects);
    return effects;
}

RankEffects RankLoop::write_failed(Error error) {
    EVALJOB_ASSERT(!writing_.empty() && !log_failed_, "a log fails at what it writes, and once");
    RankEffects effects;
    writing_.clear();
    log_failed_ = true;
    if (!failure_) failure_ = std::move(error);
    step_engine(effects);
    return effects;
}

/// Every lease is at one place. After a failure some are at none: what was being written or computed is lost.
void RankLoop::check() const {
    EVALJOB_ASSERT(begun_.size() <= most_at_once_, "an engine has no more batches than it could have");
    if (failure_) return;
    const std::size_t queued = session_.lease_counts().at_hand;
    EVALJOB_ASSERT(session_.held().size() == queued + begun_.size() + gathered_.size() + writing_.size(),
                   "a lease that is held waits, is computed, has gathered or is being written");
}

}  // namespace evaljob
