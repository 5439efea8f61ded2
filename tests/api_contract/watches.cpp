// Watches. That nothing more comes is seen by what comes next.
#include <gmock/gmock.h>

#include "tests/api_contract/contract.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;

void a_watch_tells_what_comes_after_its_version(Contract& api) {
    api.post(api.pods(), a_pod("a"));
    auto watch = api.watch(api.pods(), {{"resourceVersion", api.get(api.pods()).version()}});
    api.post(api.pods(), a_pod("b"));
    api.patch(api.pods() + "/b/status", {{"status", {{"phase", "Running"}}}});
    api.post(api.secrets(), a_secret("other-kind"));
    api.remove(api.pods() + "/a", {{"gracePeriodSeconds", 0}});
    // The real one writes down first that the grace period is 0.
    EXPECT_THAT(watch.next(4), ElementsAre("ADDED b", "MODIFIED b", "MODIFIED a", "DELETED a"));
}

void a_deletion_carries_the_version_at_which_it_happened(Contract& api) {
    const auto made = api.post(api.secrets(), a_secret("a"));
    auto watch = api.watch(api.secrets(), {{"resourceVersion", made.version()}});
    api.remove(api.secrets() + "/a");
    const Json event = watch.next();
    EXPECT_EQ(event.at("type"), "DELETED");
    EXPECT_GT(std::stoll(event.at("object").at("metadata").at("resourceVersion").get<std::string>()),
              std::stoll(made.version()));
}

void a_watch_from_nowhere_begins_with_what_there_is(Contract& api) {
    api.post(api.secrets(), a_secret("a"));
    auto watch = api.watch(api.secrets());
    api.post(api.secrets(), a_secret("b"));
    EXPECT_THAT(watch.next(2), ElementsAre("ADDED a", "ADDED b"));
}

void objects_enter_and_leave_a_selection(Contract& api) {
    auto watch =
        api.watch(api.secrets(), {{"labelSelector", "job=x"}, {"resourceVersion", api.get(api.secrets()).version()}});
    const auto label = [&](const char* value) {
        api.patch(api.secrets() + "/a", {{"metadata", {{"labels", {{"job", value}}}}}});
    };
    api.post(api.secrets(), a_secret("a"));
    label("x");
    api.patch(api.secrets() + "/a", {{"stringData", {{"b", "c"}}}});
    label("y");
    api.remove(api.secrets() + "/a");
    api.post(api.secrets(), a_secret("sentinel", {{"metadata", {{"labels", {{"job", "x"}}}}}}));
    EXPECT_THAT(watch.next(4), ElementsAre("ADDED a", "MODIFIED a", "DELETED a", "ADDED sentinel"));
}

void watches_are_refused(Contract& api) { EXPECT_EQ(api.watch("/api/v1/nothings").refused.value().reason, "NotFound"); }

void a_write_that_changes_nothing_is_no_event(Contract& api) {
    const auto made = api.post(api.evaljobs(), an_evaljob("e"));
    auto watch = api.watch(api.evaljobs(), {{"resourceVersion", made.version()}});
    api.patch(api.evaljobs() + "/e", {{"spec", {{"numNodes", 2}}}});
    api.post(api.evaljobs(), an_evaljob("sentinel"));
    EXPECT_THAT(watch.next(1), ElementsAre("ADDED sentinel"));
}

}  // namespace

std::vector<ContractRow> contract_rows_of_watches() {
    return {
        {"AWatchTellsWhatComesAfterItsVersion", a_watch_tells_what_comes_after_its_version},
        {"ADeletionCarriesTheVersionAtWhichItHappened", a_deletion_carries_the_version_at_which_it_happened},
        {"AWatchFromNowhereBeginsWithWhatThereIs", a_watch_from_nowhere_begins_with_what_there_is},
        {"ObjectsEnterAndLeaveASelection", objects_enter_and_leave_a_selection},
        {"WatchesAreRefused", watches_are_refused},
        {"AWriteThatChangesNothingIsNoEvent", a_write_that_changes_nothing_is_no_event},
    };
}

}  // namespace evaljob::test
