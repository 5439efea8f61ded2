// F1 on a real API server: the operator is killed after every single write of a whole life, one at a time, another one
// goes on from nothing, and the end is that of the undisturbed life.
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "api/json_read.hpp"
#include "operator/kube/views.hpp"
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

/// What is left of a life that has ended, without what differs from life to life.
struct End {
    std::string status;  // summary and restarts
    std::string result;
    std::set<std::string> children;

    bool operator==(const End&) const = default;
};

void PrintTo(const End& end, std::ostream* out) {
    *out << end.status << " " << end.result;
    for (const std::string& child : end.children) *out << " " << child;
}

class KilledOnApiServer : public Life {
protected:
    End end_of(const std::string& name) {
        End end;
        const Json status = get(name).at("status");
        end.status = status.at("summary").dump() + " restarts " + std::to_string(number_of(status, "restarts"));
        Json results = status.at("results");
        results.erase("path");  // these two have the job's name in them
        results.erase("claimName");
        end.result = results.dump();
        const auto unnamed = [&](const std::string& child) { return child.substr(name.size()); };
        for (const Json& pod : pods_of(name)) {
            const PodView view = kube::pod_view(pod);
            // The Job controller names the merge's Pods at random.
            end.children.insert((view.merge ? "merge" : unnamed(view.name)) + " " + view.phase);
        }
        for (const kube::Resource& resource : {kube::services, kube::jobs}) {
            const Json list = must(kube::list(resource, ns, "evaljob.dev/job=" + name));
            for (const Json& child : list.at("items"))
                end.children.insert(resource.kind + unnamed(text_of(child.at("metadata"), "name")));
        }
        return end;
    }

    /// One node dies once; the others do their work. `writes`: after how many the operator is killed.
    End live(const std::string& name, int writes, int* written = nullptr) {
        const auto inner = ControlPlane::shared().connect();
        DyingTransport dying(*inner, writes);
        auto first = start(dying);
        must(kube::create(kube::evaljobs, ns, fashion_job(name, 2)));
        std::set<std::string> failed;
        await(name + " has ended", [&] {
            if (dying.dead && first) {
                inner->end_streams();
                first.reset();
                start_operator();
            }
            for (const Json& pod : pods_of(name)) step(pod, failed);
            return has_condition(name, "Succeeded") || has_condition(name, "Failed");
        });
        if (written) *written = dying.writes;
        inner->end_streams();
        first.reset();
        stop_operator();
        return end_of(name);
    }

private:
    static void step(const Json& pod, std::set<std::string>& failed) {
        const PodView view = kube::pod_view(pod);
        if (view.phase == "Pending") {
            if (view.merge) return end(pod, 0, report_of_merge());
            return run(pod);
        }
        if (view.phase != "Running") return;
        const bool dies = view.node == 1 && view.attempt == 0;
        if (dies || failed.contains("once")) return end(pod, dies ? 137 : 0, dies ? "last words" : "");
        // The others work until the dead one was replaced.
        if (view.node == 1) failed.insert("once");
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
