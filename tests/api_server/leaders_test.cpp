// F7 and F14 on a real API server: two operators, a paused one that wakes, and an API server that is away.
#include <gtest/gtest.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

#include "operator/cluster/election_thread.hpp"
#include "tests/api_server/faulty_transport.hpp"
#include "tests/api_server/life.hpp"

namespace evaljob::test {
namespace {

/// A process that is stopped (SIGSTOP) at its `stops_at`-th write: nothing of it goes on until it is woken; then what
/// it was about to send is sent.
class StoppedTransport : public kube::Transport {
public:
    StoppedTransport(kube::Transport& inner, int stops_at) : inner_(inner), stops_at_(stops_at) {}

    Answer send(const kube::Request& request) override {
        const bool lease = request.path.find("/leases") != std::string::npos;
        {
            std::unique_lock lock(mutex_);
            if (request.verb != kube::Verb::Get && !lease && ++writes_ == stops_at_) stopped_ = true;
            bell_.notify_all();
            bell_.wait(lock, [this] { return !stopped_; });
        }
        return dead ? fail("Unreachable", "the process has ended", true) : inner_.send(request);
    }
    Result<Stream> open(const kube::Request& request) override {
        if (dead) return fail("Unreachable", "the process has ended", true);
        return inner_.open(request);
    }
    void await_stop() {
        std::unique_lock lock(mutex_);
        bell_.wait(lock, [this] { return stopped_; });
    }
    void wake() {
        const std::lock_guard lock(mutex_);
        stopped_ = false;
        bell_.notify_all();
    }

    std::atomic<bool> dead = false;

private:
    kube::Transport& inner_;
    const int stops_at_;
    std::mutex mutex_;
    std::condition_variable bell_;
    int writes_ = 0;
    bool stopped_ = false;
};

class LeadersOnApiServer : public Life {
protected:
    /// An operator that works while it holds the Lease, as main does it.
    struct Leader {
        Leader(kube::Transport& transport, const std::string& lease, const std::string& identity) {
            kube::ElectionOptions options{ns, lease, identity};
            options.retry = kube::Milliseconds{200};
            election = std::make_unique<cluster::ElectionThread>(
                transport, options, [this] { return ticks() + later.load(); }, carried_clock(),
                cluster::ElectionThread::Calls{[this, &transport] {
                                                   threads = start(transport);
                                                   leads = true;
                                               },
                                               [this](const std::string&) {
                                                   on_loss();
                                                   lost = true;
                                               }});
        }
        std::function<void()> on_loss = [] {};
        std::atomic<kube::Milliseconds> later{kube::Milliseconds{0}};  // so that no test waits for a Lease to expire
        std::atomic<bool> leads = false;
        std::atomic<bool> lost = false;
        std::unique_ptr<cluster::ControllerThreads> threads;
        std::unique_ptr<cluster::ElectionThread> election;
    };

    void SetUp() override {
        Life::SetUp();
        stop_operator();
    }
    void live_on(const std::string& name) {
        await(name + " has ended", [&] {
            step(name);
            return has_ended(name);
        });
    }
    const End& undisturbed() {
        static const End end = [this] {
            start_operator();
            must(kube::create(kube::evaljobs, ns, fashion_job("one-operator", 2)));
            live_on("one-operator");
            stop_operator();
            return end_of("one-operator");
        }();
        return end;
    }
};

TEST_F(LeadersOnApiServer, F7TwoAtOnce) {
    undisturbed();
    const auto one = ControlPlane::shared().connect();
    const auto other = ControlPlane::shared().connect();
    auto first = start(*one);
    auto second = start(*other);
    must(kube::create(kube::evaljobs, ns, fashion_job("two-operators", 2)));
    live_on("two-operators");
    one->end_streams();
    other->end_streams();
    first.reset();
    second.reset();
    EXPECT_EQ(end_of("two-operators"), undisturbed());
}

class PausedOnApiServer : public LeadersOnApiServer, public testing::WithParamInterface<int> {};

TEST_P(PausedOnApiServer, F7ALeaderThatWakesMakesNothingTwice) {
    undisturbed();
    const std::string name = "paused-" + std::to_string(GetParam());
    const auto one = ControlPlane::shared().connect();
    const auto other = ControlPlane::shared().connect();
    StoppedTransport paused(*one, GetParam());
    Leader first(paused, name, "first");
    first.on_loss = [&] { paused.dead = true; };
    await("the first leads", [&] { return first.leads.load(); });
    must(kube::create(kube::evaljobs, ns, fashion_job(name, 2)));
    std::atomic<bool> stopped = false;
    std::thread watching([&] {
        paused.await_stop();
        stopped = true;
    });
    await("the first is stopped", [&] {
        step(name);
        return stopped.load();
    });
    watching.join();
    Leader second(*other, name, "second");
    await("the second leads", [&] {
        second.later = second.later.load() + kube::Milliseconds{200};
        return second.leads.load();
    });
    live_on(name);
    const End end = end_of(name);
    EXPECT_EQ(end, undisturbed());
    paused.wake();
    await("the first has seen that it leads no more", [&] { return first.lost.load(); });
    one->end_streams();
    first.threads.reset();
    EXPECT_EQ(end_of(name), end);
    other->end_streams();
    second.threads.reset();
}

INSTANTIATE_TEST_SUITE_P(AtWrite, PausedOnApiServer, testing::Values(1, 3, 6, 12));

TEST_F(LeadersOnApiServer, F14TheServerIsAwayAndComesBack) {
    constexpr int jobs = 20;
    const auto real = ControlPlane::shared().connect({std::chrono::seconds{1}, std::chrono::seconds{2}});
    FaultyTransport counted(*real, {});
    auto threads = start(counted);
    for (int i = 0; i < jobs; ++i) must(kube::create(kube::evaljobs, ns, fashion_job("away-" + std::to_string(i), 2)));
    ASSERT_EQ(::kill(ControlPlane::shared().api_server(), SIGSTOP), 0);
    const int before = counted.sent + counted.watches;
    const auto stopped = std::chrono::steady_clock::now();
    await("everything has failed several times", [&] { return counted.sent + counted.watches - before > 10; });
    const std::chrono::duration<double> away = std::chrono::steady_clock::now() - stopped;
    const int tried = counted.sent + counted.watches - before;
    ASSERT_EQ(::kill(ControlPlane::shared().api_server(), SIGCONT), 0);
    EXPECT_LT(tried / away.count(), 20) << tried << " requests in " << away.count() << " s";
    for (int i = 0; i < jobs; ++i) await_pods("away-" + std::to_string(i), 2);
    real->end_streams();
    threads.reset();
    for (int i = 0; i < jobs; ++i) must(kube::remove(kube::evaljobs, ns, "away-" + std::to_string(i), "", -1));
}

}  // namespace
}  // namespace evaljob::test
