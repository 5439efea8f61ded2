// F4, F5, F6 and F12 on a real API server: a whole life under each fault ends as the undisturbed one does.
#include <gtest/gtest.h>

#include "operator/carried_clock.hpp"
#include "operator/cluster/paced_transport.hpp"
#include "tests/api_server/faulty_transport.hpp"
#include "tests/api_server/life.hpp"

namespace evaljob::test {
namespace {

struct Row {
    const char* name;
    Faults faults;
    cluster::TransportOptions options = {};
    std::function<Clock()> clock = carried_clock;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

/// Half of them, in no step with what an operator does again and again; the first one surely.
bool is_hit(int number) { return number == 1 || (static_cast<unsigned>(number) * 2654435761U >> 20U) % 2 == 0; }

/// Refused before it is carried out.
Faults writes_refused(int status, const char* reason, int retry_after_seconds = 0) {
    Faults faults;
    faults.write = [=](kube::Transport& to, const kube::Request& request, int number) {
        return is_hit(number) ? refusal(status, reason, retry_after_seconds) : to.send(request);
    };
    return faults;
}

/// Carried out, but that is not what is answered.
Faults writes_answered(const Answer& answer) {
    Faults faults;
    faults.write = [=](kube::Transport& to, const kube::Request& request, int number) {
        auto real = to.send(request);
        return is_hit(number) ? answer : real;
    };
    return faults;
}

Faults watches_opened(std::function<Result<Stream>(kube::Transport&, const kube::Request&, int)> open) {
    Faults faults;
    faults.watch = std::move(open);
    return faults;
}

Faults watches_cut(const std::string& last) {
    return watches_opened([=](kube::Transport& to, const kube::Request& request, int number) -> Result<Stream> {
        auto stream = to.open(request);
        if (!stream || !is_hit(number)) return stream;
        return std::make_unique<CutStream>(std::move(*stream), last);
    });
}

Faults lists_in_pages_of_one() {
    Faults faults;
    // Of each kind's pages some are refused; then it gets through.
    faults.list = [](kube::Transport& to, kube::Request request, int number) {
        if (request.query.contains("continue") && number < 30 && number % 7 == 0) return refusal(410, "Expired");
        request.query["limit"] = "1";
        return to.send(request);
    };
    return faults;
}

Faults lists_refused(int status, const char* reason) {
    Faults faults;
    faults.list = [=](kube::Transport& to, const kube::Request& request, int number) {
        return number <= 4 || number % 3 == 0 ? refusal(status, reason) : to.send(request);
    };
    return faults;
}

/// Jumps by an hour, to and fro, every few times that it is asked.
Clock jumping_clock() {
    const auto asked = std::make_shared<std::atomic<int>>(0);
    return [asked, clock = carried_clock()] { return clock() + (++*asked / 20 % 2 == 0 ? 0 : 3600); };
}

std::vector<Row> rows() {
    const std::string expired =
        R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})"
        "\n";
    return {
        {"F4ExpiredWhenAWatchIsOpened",
         watches_opened([](kube::Transport& to, const kube::Request& request, int number) -> Result<Stream> {
             if (is_hit(number)) return fail("Expired", "too old");
             return to.open(request);
         })},
        {"F4ExpiredInAWatch", watches_cut(expired)},
        {"F4ExpiredLists", lists_refused(410, "Expired")},
        {"F4ExpiredInMidPagination", lists_in_pages_of_one()},
        {"F5WatchesCutInsideALine", watches_cut("")},
        {"F5QuietWatchesGivenUp", {}, {std::chrono::seconds{30}, std::chrono::milliseconds{400}}},
        {"F6Conflict", writes_refused(409, "Conflict")},
        {"F6TooManyRequests", writes_refused(429, "TooManyRequests", 1)},
        {"F6InternalError", writes_refused(500, "InternalError")},
        {"F6Unavailable", writes_refused(503, "ServiceUnavailable")},
        {"F6TimeoutAfterTheWrite", writes_answered(refusal(504, "Timeout"))},
        {"F6AnswersLost", writes_answered(fail("Unreachable", "reset", true))},
        {"F12ClockJumps", {}, {}, jumping_clock},
    };
}

class FaultsOnApiServer : public Life, public testing::WithParamInterface<Row> {
protected:
    End live(const std::string& name, const Row& row) {
        stop_operator();
        const auto real = ControlPlane::shared().connect(row.options);
        FaultyTransport faulty(*real, row.faults);
        cluster::PacedTransport paced(faulty, {}, ticks,
                                      [](kube::Milliseconds time) { std::this_thread::sleep_for(time); });
        auto threads = start(paced, row.clock());
        must(kube::create(kube::evaljobs, ns, fashion_job(name, 2)));
        await(name + " has ended", [&] {
            step(name);
            return has_ended(name);
        });
        real->end_streams();
        threads.reset();
        // An operator that tries without end would be seen here.
        EXPECT_LT(faulty.sent, 1500) << faulty.writes << " writes, " << faulty.lists << " lists, " << faulty.watches
                                     << " watches";
        return end_of(name);
    }
};

TEST_P(FaultsOnApiServer, EndTheSame) {
    static const End undisturbed = live("without-faults", {"", {}});
    ASSERT_NE(undisturbed.status.find("restarts 1"), std::string::npos) << undisturbed.status;
    std::string name = GetParam().name;
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(live(name, GetParam()), undisturbed);
}

INSTANTIATE_TEST_SUITE_P(Rows, FaultsOnApiServer, testing::ValuesIn(rows()),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace evaljob::test
