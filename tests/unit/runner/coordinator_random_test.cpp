// Random lives of a job, held against a model that says which leases are live: what ranks really have is never what the
// coordinator would wish, since they crash, hang, reconnect, and repeat themselves, and coordinators die.
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "tests/unit/runner/coordinator_run.hpp"

namespace evaljob::test {
namespace {

constexpr std::size_t batch_count = 5'000;
constexpr std::int32_t rank_count = CoordinatorRun::ranks;

/// A lease as the coordinator must see it now.
struct Live {
    SessionId session = 0;
    std::uint64_t batch = 0;
};

/// A rank as it is in truth.
struct Rank {
    std::optional<SessionId> session;
    Hello hello;
    std::map<LeaseNumber, std::uint64_t> has;  // what it computes, whether or not it was taken back
    std::uint32_t wanted = 0;
    Milliseconds heard = 0;
    bool late = false;
    std::optional<Done> last_done;
};

class RandomLife {
public:
    explicit RandomLife(unsigned seed)
        : random_(seed), timed_(seed % 2 == 1), finished_(batch_count, false), ever_leased_(batch_count, false) {
        for (std::size_t i = 0; i < batch_count; ++i) items_.push_back(1 + random_() % 40);
        for (std::int32_t i = 0; i < rank_count; ++i) ranks_[i].hello = hello_of(1, rank_count, 0, i);
        start_coordinator();
    }

    void step() {
        now_ += random_() % 400;
        const std::int32_t i = static_cast<std::int32_t>(random_() % rank_count);
        switch (random_() % 40) {
            case 0:
                return crash(i);
            case 1:
                return drop(i);
            case 2:
                return give_back(i);
            case 3:
                return repeat_done(i);
            case 4:
                return random_() % 8 == 0 ? silence() : tick();
            case 5:
                return random_() % 20 == 0 ? start_coordinator() : tick();
            case 6:
            case 7:
            case 8:
                return tick();
            default:
                break;
        }
        Rank& rank = ranks_[i];
        if (!rank.session) return join(i);
        if (rank.wanted == 0 || random_() % 10 == 0) return want(i, 1 + random_() % 3);
        if (i == hung_rank_ || rank.has.empty() || random_() % 3 == 0) {
            say(i, Heartbeat{});
        } else {
            finish_one(i);
        }
    }

    /// Everyone comes back and works until nothing is left.
    void finish() {
        hung_rank_ = -1;
        for (std::size_t round = 0; round < 100 * batch_count && unfinished() > 0; ++round) {
            const std::int32_t i = static_cast<std::int32_t>(round % rank_count);
            Rank& rank = ranks_[i];
            now_ += 10;
            if (!rank.session) {
                join(i);
            } else if (!rank.has.empty()) {
                finish_one(i);
            } else {
                want(i, 1);
            }
        }
    }

    std::size_t unfinished() const {
        return static_cast<std::size_t>(std::count(finished_.begin(), finished_.end(), false));
    }
    /// Of the last coordinator.
    int markers() const { return markers_; }
    std::uint64_t taken_back() const { return taken_back_; }
    std::uint64_t leased_twice() const { return all_leased_twice_; }
    CoordinatorProgress progress() const { return coordinator_->progress(now_); }
    std::uint64_t items_total() const {
        std::uint64_t total = 0;
        for (const auto items : items_) total += items;
        return total;
    }

private:
    // What happens.

    /// The one before is gone with all its connections; what is on the volume stays.
    void start_coordinator() {
        std::vector<BatchState> states;
        for (std::size_t i = 0; i < batch_count; ++i) states.push_back({items_[i], finished_[i]});
        coordinator_.emplace(CoordinatorRun::options(++epoch_), states);
        live_.clear();
        begun_.clear();
        leases_again_ = 0;
        markers_ = 0;
        ever_leased_.assign(batch_count, false);
        for (auto& [i, rank] : ranks_) rank.session.reset();
        check(coordinator_->start());
    }

    void join(std::int32_t i) {
        Rank& rank = ranks_[i];
        const SessionId before = rank.session.value_or(0);
        take_back_all(before);
        rank.session = next_session_++;
        rank.heard = now_;
        rank.wanted = 0;
        rank.late = false;
        Hello hello = rank.hello;
        for (const auto& [number, batch] : rank.has) hello.held.push_back({number, batch});
        // What it still holds is its own again, unless the batch is finished or with another by now.
        for (const auto& [number, batch] : rank.has) {
            if (finished_[batch] || live_leases(batch) > 0) continue;
            live_[number] = {*rank.session, batch};
            ever_leased_[batch] = true;
        }
        begun_[*rank.session] = now_;
        check(coordinator_->message(*rank.session, hello, now_));
    }

    /// The connection is lost; the process goes on.
    void drop(std::int32_t i) {
        Rank& rank = ranks_[i];
        if (!rank.session) return;
        const SessionId session = *std::exchange(rank.session, std::nullopt);
        take_back_all(session);
        check(coordinator_->disconnected(session, now_));
    }

    void crash(std::int32_t i) {
        Rank& rank = ranks_[i];
        rank.has.clear();
        rank.last_done.reset();
        ++rank.hello.restart;
        rank.hello.pid += 100;
        // Half of the time the successor is there before the loss is noticed.
        if (random_() % 2 == 0) return drop(i);
        join(i);
    }

    void want(std::int32_t i, std::uint32_t leases) {
        ranks_[i].wanted = leases;
        ranks_[i].late = false;
        say(i, Want{leases});
    }

    void finish_one(std::int32_t i) {
        Rank& rank = ranks_[i];
        auto it = rank.has.begin();
        std::advance(it, static_cast<std::ptrdiff_t>(random_() % rank.has.size()));
        const std::int64_t us = timed_ ? 1'000 * items_[it->second] : 0;
        const Done done{it->first, it->second, items_[it->second], 0, us};
        rank.has.erase(it);
        rank.last_done = done;
        acknowledge(i, done);
    }

    void repeat_done(std::int32_t i) {
        if (ranks_[i].session && ranks_[i].last_done) acknowledge(i, *ranks_[i].last_done);
    }

    void acknowledge(std::int32_t i, const Done& done) {
        finished_[done.batch] = true;
        ranks_[i].late = false;
        if (const auto it = live_.find(done.lease); it != live_.end()) erase(it);
        const auto effects = say(i, done);
        ASSERT_EQ(sent<Ack>(effects).size(), 1U);
        EXPECT_EQ(sent<Ack>(effects)[0].second.lease, done.lease);
    }

    void give_back(std::int32_t i) {
        Rank& rank = ranks_[i];
        if (!rank.session || rank.has.empty()) return;
        const auto [number, batch] = *rank.has.begin();
        rank.has.erase(rank.has.begin());
        rank.wanted = 0;
        if (const auto it = live_.find(number); it != live_.end()) take_back(it);
        say(i, Return{number});
    }

    void tick() {
        for (auto& [i, rank] : ranks_) {
            if (rank.session && now_ - rank.heard > 10'000) lost_.insert(*std::exchange(rank.session, std::nullopt));
        }
        for (const SessionId session : lost_) take_back_all(session);
        // A batch is predicted to take milliseconds: 60 s from when its rank began it are the limit.
        for (auto& [i, rank] : ranks_) {
            if (!rank.session || live_of(*rank.session) == 0 || now_ - begun_[*rank.session] <= 60'000) continue;
            rank.late = true;
            take_back_all(*rank.session);
        }
        check(coordinator_->tick(now_));
        lost_.clear();
    }

    /// For a while nobody is heard.
    void silence() {
        now_ += 15'000;
        tick();
    }

    Effects say(std::int32_t i, const Message& message) {
        ranks_[i].heard = now_;
        Effects effects = coordinator_->message(*ranks_[i].session, message, now_);
        check(effects);
        return effects;
    }

    // What must hold.

    void check(const Effects& effects) {
        for (const Effect& effect : effects) {
            if (const auto* close = std::get_if<CloseSession>(&effect)) {
                EXPECT_TRUE(lost_.contains(close->session)) << "session " << close->session << " was closed";
            } else if (const auto* send = std::get_if<Send>(&effect)) {
                if (const auto* lease = std::get_if<Lease>(&send->message)) check_lease(send->session, *lease);
                EXPECT_FALSE(std::holds_alternative<Refused>(send->message));
            } else if (std::holds_alternative<WriteDoneMarker>(effect)) {
                ++markers_;
                EXPECT_EQ(unfinished(), 0U);
            } else {
                EXPECT_TRUE(std::holds_alternative<Note>(effect)) << "the job was ended";
            }
        }
        EXPECT_EQ(coordinator_->progress(now_).leases_again, leases_again_);
    }

    void check_lease(SessionId session, const Lease& lease) {
        ASSERT_LT(lease.batch, batch_count);
        EXPECT_FALSE(finished_[lease.batch]) << "batch " << lease.batch << " is finished";
        const std::size_t others = live_leases(lease.batch);
        EXPECT_LE(others, 1U) << "batch " << lease.batch << " is leased to two already";
        if (others > 0) check_second(session);
        EXPECT_TRUE(numbers_.insert(lease.number).second) << "a lease number was used twice";
        leases_again_ += others == 0 && ever_leased_[lease.batch] ? 1 : 0;
        ever_leased_[lease.batch] = true;
        if (live_of(session) == 0) begun_[session] = now_;
        live_[lease.number] = {session, lease.batch};
        for (auto& [i, rank] : ranks_) {
            if (rank.session != session) continue;
            rank.has[lease.number] = lease.batch;
            EXPECT_FALSE(rank.late);
            EXPECT_LE(live_of(session), rank.wanted);
            return;
        }
        ADD_FAILURE() << "a lease for session " << session << ", which is not connected";
    }

    /// Only an idle rank gets it, and only when nothing else is left.
    void check_second(SessionId session) {
        ++all_leased_twice_;
        EXPECT_EQ(live_of(session), 0U) << "a second lease for a rank that is not idle";
        std::set<std::uint64_t> leased;
        for (const auto& [number, live] : live_) leased.insert(live.batch);
        for (std::uint64_t batch = 0; batch < batch_count; ++batch)
            EXPECT_TRUE(finished_[batch] || leased.contains(batch)) << "batch " << batch << " waits";
    }

    std::size_t live_leases(std::uint64_t batch) const {
        return static_cast<std::size_t>(
            std::count_if(live_.begin(), live_.end(), [&](const auto& l) { return l.second.batch == batch; }));
    }

    std::size_t live_of(SessionId session) const {
        return static_cast<std::size_t>(
            std::count_if(live_.begin(), live_.end(), [&](const auto& l) { return l.second.session == session; }));
    }

    using Lives = std::map<LeaseNumber, Live>;
    Lives::iterator erase(Lives::iterator it) {
        const SessionId session = it->second.session;
        const bool first = std::none_of(live_.begin(), it, [&](const auto& l) { return l.second.session == session; });
        if (first) begun_[session] = now_;
        return live_.erase(it);
    }
    Lives::iterator take_back(Lives::iterator it) {
        ++taken_back_;
        return erase(it);
    }
    void take_back_all(SessionId session) {
        for (auto it = live_.begin(); it != live_.end();)
            it = it->second.session == session ? take_back(it) : std::next(it);
    }

    std::mt19937 random_;
    bool timed_;                  // whether ranks tell how long a batch took
    std::int32_t hung_rank_ = 3;  // its heartbeat goes on
    std::vector<std::uint32_t> items_;
    std::vector<bool> finished_;     // on the volume
    std::vector<bool> ever_leased_;  // by this coordinator, adopted ones included
    Lives live_;
    std::map<SessionId, Milliseconds> begun_;  // the first of its leases
    std::map<std::int32_t, Rank> ranks_;
    std::set<LeaseNumber> numbers_;
    std::set<SessionId> lost_;  // that this tick must close
    std::optional<Coordinator> coordinator_;
    std::uint32_t epoch_ = 0;
    SessionId next_session_ = 1;
    Milliseconds now_ = 1'000'000;
    std::uint64_t leases_again_ = 0;
    std::uint64_t taken_back_ = 0;
    std::uint64_t all_leased_twice_ = 0;
    int markers_ = 0;
};

class CoordinatorRandom : public testing::TestWithParam<unsigned> {};

TEST_P(CoordinatorRandom, LeasesTwiceOnlyAtTheEndNeverThreeTimesAndFinishesEverything) {
    RandomLife life(GetParam());
    for (int step = 0; step < 10'000 && !testing::Test::HasFailure(); ++step) {
        SCOPED_TRACE("seed " + std::to_string(GetParam()) + " step " + std::to_string(step));
        life.step();
    }
    EXPECT_GT(life.taken_back(), 100U) << "the walk must meet what it is for";
    life.finish();
    EXPECT_EQ(life.unfinished(), 0U);
    const bool timed = GetParam() % 2 == 1;
    EXPECT_TRUE(timed || life.leased_twice() == 0) << "nothing is known of how long batches take";
    EXPECT_EQ(life.markers(), 1);
    EXPECT_EQ(life.progress().samples_done, life.items_total());
}

INSTANTIATE_TEST_SUITE_P(Seeds, CoordinatorRandom, testing::Range(1U, 9U));

}  // namespace
}  // namespace evaljob::test
