#include "evaljob-runner/rank/work.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include <spdlog/spdlog.h>

#include "evaljob-runner/rank/record_writer.hpp"
#include "evaljob-runner/rank/unix_time.hpp"

namespace evaljob {

namespace {

/// Makes evaluated leases durable, where this process writes itself, and tells the loop. Counted on the writer's
/// thread.
class Recording {
public:
    Recording(RankLog& log, Session& session, RankCounters& counters)
        : log_(log), session_(session), counters_(counters), writer_([this](const auto& leases) { record(leases); }) {}

    RecordWriter& writer() { return writer_; }

private:
    void record(const std::vector<EvaluatedLease>& leases) {
        Laps laps;
        auto reports = record_leases(leases, log_);
        laps.add_to(counters_.writing_us);
        if (!reports) return session_.happens([&](RankLoop& loop) { return loop.write_failed(reports.error()); });
        for (const Report& report : *reports) {
            ++counters_.batches;
            counters_.samples += report.done.samples;
            counters_.failed += report.done.failed;
        }
        session_.happens([&](RankLoop& loop) { return loop.written(std::move(*reports)); });
    }

    RankLog& log_;
    Session& session_;
    RankCounters& counters_;
    RecordWriter writer_;  // last, for it uses the others
};

/// The engine, as the loop wants it, and what it was at when.
class Work {
public:
    Work(Evaluator& evaluator, RankCounters& counters) : evaluator_(evaluator), counters_(counters) {}

    std::size_t batches_at_once() const { return evaluator_.batches_at_once(); }

    Result<void> begin(const Lease& lease) {
        laps_.add_to(counters_.waiting_us);
        begun_[lease.number] = {unix_us(), std::chrono::steady_clock::now()};
        auto begun = evaluator_.begin(lease);
        laps_.add_to(counters_.computing_us);
        return begun;
    }

    Result<EvaluatedLease> next() {
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
        return EvaluatedLease{evaluated->lease, std::move(evaluated->records), since.unix_us, took.count(),
                              evaluated->parts};
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
    RankCounters& counters_;
    EngineUsage counted_;
    Laps laps_;
    std::map<LeaseNumber, Since> begun_;
};

/// While it lives, the loop can have batches prepared and records written.
class Hands {
public:
    Hands(Session& session, Evaluator& evaluator, RecordWriter& writer) : session_(session) {
        session_.give_to({[&evaluator](const Lease& lease) { evaluator.announce(lease); },
                          [&writer](std::vector<EvaluatedLease> group) { writer.put(std::move(group)); }});
    }
    ~Hands() { session_.give_to({}); }
    Hands(const Hands&) = delete;
    Hands& operator=(const Hands&) = delete;

private:
    Session& session_;
};

/// Does what the loop wants of the engine; what has happened then.
Session::Event take_step(const EngineStep& step, Work& work) {
    if (const auto* begin = std::get_if<BeginBatch>(&step)) {
        if (auto begun = work.begin(begin->lease); !begun)
            return [error = begun.error()](RankLoop& loop) { return loop.engine_failed(error); };
        return [](RankLoop& loop) { return loop.begun(); };
    }
    auto evaluated = work.next();
    if (!evaluated) return [error = evaluated.error()](RankLoop& loop) { return loop.engine_failed(error); };
    return [evaluated = std::move(*evaluated), at_once = work.batches_at_once()](RankLoop& loop) mutable {
        return loop.computed(std::move(evaluated), at_once);
    };
}

}  // namespace

Result<SessionEnd> evaluate_leases(Session& session, Evaluator& evaluator, RankLog& log, RankCounters& counters) {
    Recording recording(log, session, counters);
    Work work(evaluator, counters);
    const Hands hands(session, evaluator, recording.writer());
    session.happens([&](RankLoop& loop) { return loop.ready(work.batches_at_once()); });
    for (;;) {
        const EngineStep step = session.next_step();
        if (const auto* stop = std::get_if<StopWork>(&step)) return stop->end;
        session.happens(take_step(step, work));
    }
}

}  // namespace evaljob
