#include "evaljob-runner/rank/work.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include <spdlog/spdlog.h>

#include "evaljob-runner/rank/leases_ahead.hpp"
#include "evaljob-runner/rank/record_writer.hpp"
#include "evaljob-runner/rank/unix_time.hpp"

namespace evaljob {

namespace {

/// Makes evaluated leases durable, where this process writes itself, and reports them. Counted on the writer's thread.
class Recording {
public:
    Recording(RankLog& log, Session& session, RankCounters& counters)
        : log_(log),
          session_(session),
          counters_(counters),
          writer_([this](const auto& leases) { return record(leases); }, [this](Report report) { tell(report); },
                  // Else it would wait for a lease that nobody gives, for nothing is reported any more.
                  [this] { session_.interrupt(); }) {}

    RecordWriter& writer() { return writer_; }

private:
    Result<std::vector<Report>> record(const std::vector<EvaluatedLease>& leases) {
        Laps laps;
        auto reports = record_leases(leases, log_);
        laps.add_to(counters_.writing_us);
        return reports;
    }

    void tell(Report& report) {
        ++counters_.batches;
        counters_.samples += report.done.samples;
        counters_.failed += report.done.failed;
        session_.done(std::move(report));
    }

    RankLog& log_;
    Session& session_;
    RankCounters& counters_;
    RecordWriter writer_;  // last, for it uses the others
};

/// The leases whose batches the engine has, and since when.
class Work {
public:
    Work(Evaluator& evaluator, RecordWriter& writer, RankCounters& counters)
        : evaluator_(evaluator), writer_(writer), counters_(counters) {}

    bool idle() const { return begun_.empty(); }
    bool takes_more() const { return begun_.size() < evaluator_.batches_at_once(); }

    /// How many leases to hold, as the engine has room for another batch.
    std::uint32_t wanted_leases(const LeaseCounts& leases) {
        ahead_.engine_has_room(leases.at_hand, leases.taken - begun_.size());
        return static_cast<std::uint32_t>(evaluator_.batches_at_once() + ahead_.leases());
    }

    Result<void> begin(const Lease& lease) {
        laps_.add_to(counters_.waiting_us);
        begun_[lease.number] = {unix_us(), std::chrono::steady_clock::now()};
        auto begun = evaluator_.begin(lease);
        laps_.add_to(counters_.computing_us);
        return begun;
    }

    /// One that was begun: evaluated, and on its way into the log.
    Result<void> finish_one() {
        auto evaluated = evaluator_.next();
        laps_.add_to(counters_.computing_us);
        if (!evaluated) return tl::unexpected(evaluated.error());
        if (!evaluated->why_parts.empty())
            spdlog::warn("batch {} was evaluated in {} parts: {}", evaluated->lease.batch, evaluated->parts,
                         evaluated->why_parts);
        const auto since = begun_.extract(evaluated->lease.number).mapped();
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - since.start);
        count_usage();
        return writer_.put(
            {evaluated->lease, std::move(evaluated->records), since.unix_us, took.count(), evaluated->parts});
    }

private:
    void count_usage() {
        const EngineUsage usage = evaluator_.usage();
        counters_.requests += usage.requests - counted_.requests;
        counters_.requests_again += usage.requests_again - counted_.requests_again;
        counters_.prompt_tokens += usage.prompt_tokens - counted_.prompt_tokens;
        counters_.completion_tokens += usage.completion_tokens - counted_.completion_tokens;
        counted_ = usage;
    }

    struct Since {
        std::int64_t unix_us = 0;
        std::chrono::steady_clock::time_point start;
    };
    Evaluator& evaluator_;
    RecordWriter& writer_;
    RankCounters& counters_;
    EngineUsage counted_;
    Laps laps_;
    std::map<LeaseNumber, Since> begun_;
    LeasesAhead ahead_;
};

/// While it lives, a batch is prepared as soon as its lease is there.
class Preparation {
public:
    Preparation(Session& session, Evaluator& evaluator) : session_(session) {
        session_.when_leased([&evaluator](const Lease& lease) { evaluator.announce(lease); });
    }
    ~Preparation() { session_.when_leased({}); }
    Preparation(const Preparation&) = delete;
    Preparation& operator=(const Preparation&) = delete;

private:
    Session& session_;
};

Result<SessionEnd> work(Session& session, Evaluator& evaluator, RecordWriter& writer, RankCounters& counters) {
    const Preparation preparation(session, evaluator);
    Work work(evaluator, writer, counters);
    std::uint32_t wanted = 0;
    for (;;) {
        if (const auto now = work.wanted_leases(session.lease_counts()); now != wanted) session.want(wanted = now);
        if (work.idle()) {
            const auto next = session.next_lease();
            if (const auto* end = std::get_if<SessionEnd>(&next)) return *end;
            if (auto begun = work.begin(std::get<Lease>(next)); !begun) return tl::unexpected(begun.error());
        }
        while (work.takes_more()) {
            const auto more = session.lease_at_hand();
            if (!more) break;
            if (auto begun = work.begin(*more); !begun) return tl::unexpected(begun.error());
        }
        if (auto finished = work.finish_one(); !finished) return tl::unexpected(finished.error());
    }
}

}  // namespace

Result<SessionEnd> evaluate_leases(Session& session, Evaluator& evaluator, RankLog& log, RankCounters& counters) {
    Recording recording(log, session, counters);
    auto end = work(session, evaluator, recording.writer(), counters);
    if (auto flushed = recording.writer().flush(); end && !flushed) return tl::unexpected(flushed.error());
    return end;
}

}  // namespace evaljob
