// Elections as tables: a Lease that answers as an API server does, any number of candidates, one clock.
#include "operator/kube/election.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "api/json_read.hpp"

namespace evaljob::kube {
namespace {

using namespace std::chrono_literals;

/// One Lease, with versions.
class LeaseServer {
public:
    Result<Json> answer(const Request& request) {
        if (down) return fail("Unreachable", "down", true);
        if (request.verb == Verb::Get) return lease ? Result<Json>(*lease) : fail("NotFound", "no Lease");
        Json object = Json::parse(request.body);
        const bool creates = request.verb == Verb::Post;
        if (creates && lease) return fail("AlreadyExists", "there is one", false);
        if (!creates && text_of(object.at("metadata"), "resourceVersion") != std::to_string(version))
            return fail("Conflict", "changed", true);
        object["metadata"]["resourceVersion"] = std::to_string(++version);
        lease = std::move(object);
        return *lease;
    }
    std::string holder() const { return lease ? text_of(lease->at("spec"), "holderIdentity") : ""; }

    std::optional<Json> lease;
    int version = 0;
    bool down = false;
};

class Candidate {
public:
    Candidate(LeaseServer& server, const std::string& identity)
        : server_(server), election_({.ns = "system", .name = "evaljob-operator", .identity = identity}) {}

    /// Goes on until it waits, or has lost.
    void pass(Milliseconds now) {
        if (lost || now < due_) return;
        auto next = election_.look(now, 1'800'000'000);
        while (const auto* send = std::get_if<SendLease>(&next))
            next = election_.take(server_.answer(send->request), now, 1'800'000'000);
        if (std::holds_alternative<Lost>(next))
            lost = true;
        else
            due_ = now + std::get<Wait>(next).time;
    }
    bool leads() const { return election_.leading() && !lost; }
    void release() { ASSERT_TRUE(server_.answer(election_.release(1'800'000'000)).has_value()); }

    bool lost = false;

private:
    LeaseServer& server_;
    Election election_;
    Milliseconds due_{0};
};

/// Both, from `begin` to `end`, a step of 100 ms each; at no step do both lead.
void pass(Candidate& one, Candidate& other, Milliseconds begin, Milliseconds end) {
    for (Milliseconds now = begin; now <= end; now += 100ms) {
        one.pass(now);
        other.pass(now);
        ASSERT_FALSE(one.leads() && other.leads()) << now.count();
    }
}

TEST(Election, TheFirstOneLeadsAtOnce) {
    LeaseServer server;
    Candidate a(server, "a");
    Candidate b(server, "b");
    pass(a, b, 0s, 60s);
    EXPECT_TRUE(a.leads());
    EXPECT_EQ(server.holder(), "a");
}

TEST(Election, TheSamePodIsBackAtOnce) {
    LeaseServer server;
    Candidate(server, "a").pass(0s);
    Candidate again(server, "a");
    again.pass(1s);
    EXPECT_TRUE(again.leads());
}

TEST(Election, ALeaseThatIsGivenBackIsTakenWithinTheNextLook) {
    LeaseServer server;
    Candidate a(server, "a");
    Candidate b(server, "b");
    pass(a, b, 0s, 10s);
    a.release();
    for (Milliseconds now = 10s; now <= 12100ms; now += 100ms) b.pass(now);
    EXPECT_TRUE(b.leads());
}

TEST(Election, ADeadHoldersLeaseIsTakenWhenItsTimeIsOver) {
    LeaseServer server;
    Candidate(server, "a").pass(0s);
    Candidate b(server, "b");
    Milliseconds taken{0};
    for (Milliseconds now = 1s; now <= 30s && !b.leads(); now += 100ms) {
        b.pass(now);
        taken = now;
    }
    EXPECT_GE(taken, 16s) << "seen first at 1 s, and good for 15 s from then on";
    EXPECT_LE(taken, 18s + 100ms);
    EXPECT_EQ(server.lease->at("spec").at("leaseTransitions"), 1);
}

TEST(Election, AHolderThatCannotRenewLosesBeforeAnotherCanTake) {
    LeaseServer server;
    Candidate a(server, "a");
    Candidate b(server, "b");
    pass(a, b, 0s, 20s);
    server.down = true;
    pass(a, b, 20s, 32s);
    EXPECT_TRUE(a.lost) << "renew deadline: 10 s";
    server.down = false;
    pass(a, b, 32s, 60s);
    EXPECT_TRUE(b.leads());
}

TEST(Election, APausedLeaderLearnsThatAnotherLeads) {
    LeaseServer server;
    Candidate a(server, "a");
    Candidate b(server, "b");
    pass(a, b, 0s, 10s);
    for (Milliseconds now = 10s; now <= 40s; now += 100ms) b.pass(now);
    ASSERT_TRUE(b.leads());
    a.pass(40s);
    EXPECT_TRUE(a.lost);
}

TEST(Election, ASecondWriterIsNoticedByItsVersion) {
    LeaseServer server;
    Candidate a(server, "a");
    a.pass(0s);
    // A label, by a person: the next renewal conflicts, is read again, and goes on.
    (*server.lease)["metadata"]["labels"] = {{"team", "vision"}};
    (*server.lease)["metadata"]["resourceVersion"] = std::to_string(++server.version);
    a.pass(2s);
    EXPECT_TRUE(a.leads());
    EXPECT_EQ(server.lease->at("metadata").at("labels").at("team"), "vision") << "what others wrote stays";
}

}  // namespace
}  // namespace evaljob::kube
