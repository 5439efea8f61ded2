// F1 on a real API server: the operator is killed after every single write of a whole life, one at a time, another one
// goes on from nothing, and the end is that of the undisturbed life.
#include <gtest/gtest.h>

#include <atomic>

#include "tests/api_server/life.hpp"

namespace evaljob::test {
namespace {

/// Dies behind its `last`-th write: that one is carried out, but its answer never comes, and nothing else goes through.
class DyingTransport : public kube::Transport {
public:
    DyingTransport(cluster::CpprestTransport& inner, int last) : inner_(inner), last_(last) {}

    Result<kube::Response> send(const kube::Request& request) override {
        if (dead) return gone();
        if (request.verb == kube::Verb::Get) return inner_.send(request);
        const int number = ++writes;
        if (number > last_) return gone();
        auto answer = inner_.send(request);
        if (number < last_) return answer;
        dead = true;
        return gone();
    }
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override {
        if (dead) return tl::unexpected(gone().error());
        return inner_.open(request);
    }

    std::atomic<bool> dead = false;
    std::atomic<int> writes = 0;

private:
    static Result<kube::Response> gone() { return fail("Unreachable", "the operator was killed", true); }

    cluster::CpprestTransport& inner_;
    int last_;
};

class KilledOnApiServer : public Life {
protected:
    /// One node dies once; the others do their work. `writes`: after how many the operator is killed.
    End live(const std::string& name, int writes, int* written = nullptr) {
        const auto inner = ControlPlane::shared().connect();
        DyingTransport dying(*inner, writes);
        auto first = start(dying);
        must(kube::create(kube::evaljobs, ns, fashion_job(name, 2)));
        await(name + " has ended", [&] {
            if (dying.dead && first) {
                inner->end_streams();
                first.reset();
                start_operator();
            }
            step(name);
            return has_ended(name);
        });
        if (written) *written = dying.writes;
        inner->end_streams();
        first.reset();
        stop_operator();
        return end_of(name);
    }
};

TEST_F(KilledOnApiServer, AfterEachWriteEndsTheSame) {
    stop_operator();
    int writes = 0;
    const End undisturbed = live("undisturbed", 1'000'000, &writes);
    ASSERT_NE(undisturbed.status.find("\"Succeeded\""), std::string::npos) << undisturbed.status;
    ASSERT_NE(undisturbed.status.find("restarts 1"), std::string::npos) << undisturbed.status;
    ASSERT_GT(writes, 8);
    for (int k = 1; k <= writes; ++k)
        EXPECT_EQ(live("killed-" + std::to_string(k), k), undisturbed) << "after write " << k;
    std::printf("killed after each of %d writes\n", writes);
}

}  // namespace
}  // namespace evaljob::test
