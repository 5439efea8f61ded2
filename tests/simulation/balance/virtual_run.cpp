#include "tests/simulation/balance/virtual_run.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <set>

namespace evaljob::simulation {

namespace {

using Microseconds = std::int64_t;

constexpr Microseconds tick_every = 500'000;
constexpr Microseconds heartbeat_every = 2'000'000;
constexpr std::uint32_t leases_per_rank = 2;

Microseconds us_of(double ms) { return std::llround(ms * 1'000); }

class Run {
public:
    Run(const TimedJob& job, Schedule schedule)
        : job_(job),
          ranks_(job.ranks.size()),
          finished_(job.batches.size()),
          coordinator_(options(schedule), states()) {}

    VirtualRun run() {
        at(0, [this] { tick(); });
        for (std::size_t i = 0; i < ranks_.size(); ++i) {
            at(us_of(job_.ranks[i].joins), [this, i] { join(i); });
            if (job_.ranks[i].leaves) at(us_of(*job_.ranks[i].leaves), [this, i] { die(i); });
        }
        while (!events_.empty() && !over_ && run_.violated.empty()) {
            const Event event = events_.top();
            events_.pop();
            now_ = event.at;
            event.action();
        }
        if (!over_ && run_.violated.empty()) run_.violated = "the run did not end";
        if (over_ && finished_count_ != job_.batches.size()) run_.violated = "the marker was asked for too early";
        run_.makespan = static_cast<double>(last_done_) / 1'000;
        run_.progress = coordinator_.progress(ms());
        run_.leases = run_.progress.leases;
        return run_;
    }

private:
    struct Rank {
        bool alive = false;
        std::uint64_t life = 0;
        std::deque<Lease> queue;  // the first one is being computed
        Microseconds begun = 0;
    };
    struct Event {
        Microseconds at = 0;
        std::uint64_t order = 0;
        std::function<void()> action;
        bool operator<(const Event& other) const { return std::pair(at, order) > std::pair(other.at, other.order); }
    };

    CoordinatorOptions options(Schedule schedule) const {
        CoordinatorOptions options;
        options.expected = {"run", static_cast<std::int32_t>(job_.ranks.size()), 1, "cpu"};
        options.token = "token";
        options.min_lease = 1'000'000'000;  // nobody hangs here
        options.schedule = schedule;
        return options;
    }

    std::vector<BatchState> states() const {
        std::vector<BatchState> all;
        for (const TimedBatch& batch : job_.batches) all.push_back({batch.samples, false, 0, batch.bytes});
        return all;
    }

    Milliseconds ms() const { return 1'000'000 + now_ / 1'000; }
    void at(Microseconds when, std::function<void()> action) { events_.push({when, next_event_++, std::move(action)}); }

    void tick() {
        take(coordinator_.tick(ms()));
        at(now_ + tick_every, [this] { tick(); });
    }

    void join(std::size_t i) {
        Rank& rank = ranks_[i];
        rank.alive = true;
        Hello hello;
        hello.token = "token";
        hello.contract.run_id = "run";
        hello.contract.rank = hello.contract.node_rank = static_cast<std::int32_t>(i);
        hello.contract.world_size = hello.contract.num_nodes = static_cast<std::int32_t>(ranks_.size());
        hello.contract.master_port = 29500;
        hello.device = {"cpu", 0, {}};
        hello.host = "node-" + std::to_string(i);
        take(coordinator_.message(i + 1, hello, ms()));
        take(coordinator_.message(i + 1, Want{leases_per_rank}, ms()));
        at(now_ + heartbeat_every, [this, i] { beat(i); });
    }

    void beat(std::size_t i) {
        if (!ranks_[i].alive) return;
        take(coordinator_.message(i + 1, Heartbeat{}, ms()));
        at(now_ + heartbeat_every, [this, i] { beat(i); });
    }

    void die(std::size_t i) {
        Rank& rank = ranks_[i];
        rank.alive = false;
        ++rank.life;
        for (const Lease& lease : rank.queue) --live_[lease.batch];
        rank.queue.clear();
        take(coordinator_.disconnected(i + 1, ms()));
    }

    void take(const Effects& effects) {
        for (const Effect& effect : effects) {
            if (std::holds_alternative<WriteDoneMarker>(effect)) over_ = true;
            if (const auto* end = std::get_if<EndJob>(&effect)) run_.violated = "the job was ended: " + end->message;
            const auto* send = std::get_if<Send>(&effect);
            if (send == nullptr) continue;
            if (const auto* lease = std::get_if<Lease>(&send->message)) granted(send->session - 1, *lease);
        }
    }

    void granted(std::size_t i, const Lease& lease) {
        Rank& rank = ranks_[i];
        if (finished_[lease.batch]) run_.violated = "a finished batch was leased";
        const std::uint64_t live = ++live_[lease.batch];
        run_.most_at_once = std::max(run_.most_at_once, live);
        rank.queue.push_back(lease);
        if (rank.queue.size() > leases_per_rank) run_.violated = "a rank has a lease too many";
        if (rank.queue.size() == 1) compute(i);
    }

    void compute(std::size_t i) {
        Rank& rank = ranks_[i];
        rank.begun = now_;
        const double takes = job_.batches[rank.queue.front().batch].cost * job_.ranks[i].slowness;
        at(now_ + us_of(takes), [this, i, life = rank.life] {
            if (ranks_[i].life == life) done(i);
        });
    }

    void done(std::size_t i) {
        Rank& rank = ranks_[i];
        const Lease lease = rank.queue.front();
        rank.queue.pop_front();
        --live_[lease.batch];
        if (finished_[lease.batch]) {
            ++run_.done_again;
        } else {
            finished_[lease.batch] = true;
            ++finished_count_;
            last_done_ = now_;
        }
        const auto samples = job_.batches[lease.batch].samples;
        const Microseconds took = now_ - rank.begun;
        if (!rank.queue.empty()) compute(i);
        take(coordinator_.message(i + 1, Done{lease.number, lease.batch, samples, 0, took}, ms()));
    }

    const TimedJob& job_;
    std::vector<Rank> ranks_;
    std::vector<bool> finished_;
    std::map<std::uint64_t, std::uint64_t> live_;
    std::priority_queue<Event> events_;
    std::uint64_t next_event_ = 0;
    std::size_t finished_count_ = 0;
    Microseconds now_ = 0;
    Microseconds last_done_ = 0;
    bool over_ = false;
    VirtualRun run_;
    Coordinator coordinator_;
};

}  // namespace

VirtualRun run_virtually(const TimedJob& job, Schedule schedule) { return Run(job, schedule).run(); }

}  // namespace evaljob::simulation
