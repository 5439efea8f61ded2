// The reflector as a table: what happens, and what it does next.
#include <gtest/gtest.h>

#include "operator/kube/reflector.hpp"

namespace evaljob::kube {
namespace {

Json page(const std::string& version, const std::vector<std::string>& names, const std::string& more = "") {
    Json items = Json::array();
    for (const std::string& name : names) items.push_back({{"metadata", {{"name", name}, {"resourceVersion", "1"}}}});
    return {{"metadata", {{"resourceVersion", version}, {"continue", more}}}, {"items", items}};
}

WatchEvent event(WatchEvent::Type type, const std::string& name, const std::string& version) {
    return {type, {{"metadata", {{"name", name}, {"resourceVersion", version}}}}};
}

WatchEvent gone() {
    return {WatchEvent::Type::Error,
            {{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}, {"message", "too old"}}};
}

std::string text(const Request& request) {
    std::string all;
    for (const auto& [key, value] : request.query) {
        if (key == "limit" || key == "allowWatchBookmarks" || key == "labelSelector" || key == "watch") continue;
        all += " " + key + "=" + (key == "timeoutSeconds" ? "…" : value);
    }
    return all;
}

/// "list", "list continue=…", "watch resourceVersion=5 …", "read", "wait"; then the changes.
std::string text(const ReflectorStep& step) {
    std::string all;
    if (const auto* send = std::get_if<SendList>(&step.next)) all = "list" + text(send->request);
    if (const auto* watch = std::get_if<OpenWatch>(&step.next)) all = "watch" + text(watch->request);
    if (std::holds_alternative<ReadOn>(step.next)) all = "read";
    if (std::holds_alternative<Wait>(step.next)) all = "wait";
    for (const StoreChange& change : step.changes) {
        const char* const words[] = {" start", " stage ", " swap", " upsert ", " delete "};
        all += words[static_cast<int>(change.kind)];
        if (change.object.contains("metadata") && change.object.at("metadata").contains("name"))
            all += change.object.at("metadata").at("name").get<std::string>();
    }
    return all;
}

struct Step {
    ReflectorInput input;
    std::string next;
    int later_ms = 2000;  // passes before the input
};

struct Row {
    std::string name;
    std::vector<Step> steps;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Error refused{"Refused", "connection refused", true};
const Error expired{"Expired", "too old", false};
const std::string watch5 = "watch resourceVersion=5 timeoutSeconds=…";
const std::string watch6 = "watch resourceVersion=6 timeoutSeconds=…";

const Step begin{Begin{}, "list"};
const Step listed{Listed{page("5", {"a"})}, watch5 + " start stage a swap"};
const Step opened{WatchOpened{}, "read"};
const Step changed{Arrived{event(WatchEvent::Type::Modified, "a", "6")}, "read upsert a"};

const std::vector<Row> rows = {
    {"OrdinaryLife",
     {begin,
      listed,
      opened,
      {Arrived{event(WatchEvent::Type::Added, "b", "6")}, "read upsert b"},
      {Arrived{event(WatchEvent::Type::Deleted, "a", "7")}, "read delete a"},
      {StreamEnded{}, "watch resourceVersion=7 timeoutSeconds=…"}}},
    {"PagesBecomeVisibleTogether",
     {begin,
      {Listed{page("5", {"a"}, "more")}, "list continue=more start stage a"},
      {Listed{page("5", {"b"}, "still")}, "list continue=still stage b"},
      {Listed{page("5", {})}, watch5 + " swap"}}},
    {"ListFails", {begin, {ListFailed{refused}, "wait"}, {Waited{}, "list"}, listed}},
    {"ContinueTokenExpires",
     {begin,
      {Listed{page("5", {"a"}, "more")}, "list continue=more start stage a"},
      {ListFailed{expired}, "wait"},
      {Waited{}, "list"},
      {Listed{page("5", {"b"})}, watch5 + " start stage b swap"}}},
    {"WatchRefusedResumesAtTheSameVersion", {begin, listed, {WatchFailed{refused}, "wait"}, {Waited{}, watch5}}},
    {"WatchBrokenResumesAtTheLastVersion",
     {begin, listed, opened, changed, {StreamBroke{refused}, "wait"}, {Waited{}, watch6}}},
    {"SilentWatchResumesAtOnce", {begin, listed, opened, changed, {StreamBroke{{"Silent", "", true}}, watch6}}},
    {"BookmarksMoveTheVersion",
     {begin, listed, opened, {Arrived{event(WatchEvent::Type::Bookmark, "", "6")}, "read"}, {StreamEnded{}, watch6}}},
    {"ExpiredEventListsAgain", {begin, listed, opened, changed, {Arrived{gone()}, "list"}, listed}},
    {"ExpiredOpenListsAgain", {begin, listed, {WatchFailed{expired}, "list"}}},
    {"ExpiredAgainAndAgainWaits",
     {begin,
      listed,
      {WatchFailed{expired}, "list"},
      listed,
      {WatchFailed{expired}, "wait"},
      {Waited{}, "list"},
      listed,
      opened,
      changed,
      {Arrived{gone()}, "list"}}},
    {"UnreadableEventListsAgain",
     {begin, listed, opened, {StreamBroke{{"TooLarge", "", true}}, "wait"}, {Waited{}, "list"}}},
    {"EventWithoutVersionListsAgain",
     {begin, listed, opened, {Arrived{{WatchEvent::Type::Added, Json::object()}}, "wait"}, {Waited{}, "list"}}},
    {"OtherErrorEventResumes",
     {begin,
      listed,
      opened,
      {Arrived{{WatchEvent::Type::Error, {{"code", 500}, {"message", "etcd"}}}}, "wait"},
      {Waited{}, watch5}}},
    {"EmptyShortWatchWaits",
     {begin, listed, opened, {StreamEnded{}, "wait", 10}, {Waited{}, watch5}, opened, {StreamEnded{}, watch5}}},
};

class Reflections : public ::testing::TestWithParam<Row> {};

TEST_P(Reflections, Steps) {
    Reflector reflector(pods, "", "evaljob.dev/job", 1);
    Milliseconds now{1'000'000};
    int number = 0;
    for (const Step& step : GetParam().steps) {
        now += Milliseconds{step.later_ms};
        EXPECT_EQ(text(reflector.step(step.input, now)), step.next) << "step " << number;
        ++number;
    }
}

INSTANTIATE_TEST_SUITE_P(Reflector, Reflections, ::testing::ValuesIn(rows),
                         [](const auto& row) { return row.param.name; });

Milliseconds failed_list(Reflector& reflector, Milliseconds now) {
    return std::get<Wait>(reflector.step(ListFailed{refused}, now).next).time;
}

TEST(Reflector, WaitsDoubleUpToThirtySecondsAndStartOver) {
    Reflector reflector(pods, "", "", 7);
    Milliseconds now{0};
    Milliseconds base{800};
    for (int i = 0; i < 12; ++i) {
        const Milliseconds wait = failed_list(reflector, now);
        EXPECT_GE(wait, std::min(base, Milliseconds{30'000}));
        EXPECT_LE(wait, std::min(2 * base, Milliseconds{30'000}));
        now += wait;
        base = std::min(base * 2, Milliseconds{30'000});
    }
    EXPECT_LE(failed_list(reflector, now + Milliseconds{200'000}), Milliseconds{1'600});
}

TEST(Reflector, AsksForBookmarksAndATimeoutBetweenFiveAndTenMinutes) {
    Reflector reflector(jobs, "default", "evaljob.dev/job", 3);
    const auto first = std::get<SendList>(reflector.step(Begin{}, Milliseconds{0}).next).request;
    EXPECT_EQ(first.path, "/apis/batch/v1/namespaces/default/jobs");
    EXPECT_EQ(first.query.at("limit"), "500");
    EXPECT_FALSE(reflector.synced());
    const auto step = reflector.step(Listed{page("5", {})}, Milliseconds{1});
    EXPECT_TRUE(reflector.synced());
    const auto& query = std::get<OpenWatch>(step.next).request.query;
    EXPECT_EQ(query.at("allowWatchBookmarks"), "true");
    EXPECT_EQ(query.at("labelSelector"), "evaljob.dev/job");
    EXPECT_GE(std::stoi(query.at("timeoutSeconds")), 300);
    EXPECT_LT(std::stoi(query.at("timeoutSeconds")), 600);
}

}  // namespace
}  // namespace evaljob::kube
