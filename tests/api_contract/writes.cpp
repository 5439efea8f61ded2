// Single objects, lists and deletion.
#include <gmock/gmock.h>

#include "tests/api_contract/contract.hpp"

namespace evaljob::test {
namespace {

using testing::MatchesRegex;

void creation_fills_in_what_the_server_keeps(Contract& api) {
    const auto made = api.post(api.evaljobs(), an_evaljob("a", {{"status", {{"attempt", 1}}}}));
    ASSERT_EQ(made.status, 201) << made.message();
    EXPECT_EQ(made.meta("generation"), 1);
    EXPECT_THAT(made.meta("creationTimestamp").get<std::string>(), MatchesRegex("....-..-..T..:..:..Z"));
    EXPECT_EQ(made.meta("namespace"), api.ns);
    EXPECT_EQ(made.uid().size(), 36U);
    EXPECT_EQ(made.body.at("kind"), "EvalJob");
    EXPECT_EQ(made.body.at("apiVersion"), "evaljob.dev/v1alpha1");
    EXPECT_FALSE(made.body.contains("status")) << "the status is written through its subresource alone";
    EXPECT_EQ(api.post(api.pods(), a_pod("p")).body.at("status").at("phase"), "Pending");
}

void generate_name_makes_different_names(Contract& api) {
    Json object = a_secret("");
    object["metadata"] = {{"generateName", "s-"}};
    const auto first = api.post(api.secrets(), object).name();
    EXPECT_EQ(first.size(), 7U);
    EXPECT_NE(first, api.post(api.secrets(), object).name());
}

void generation_rises_with_the_spec_alone(Contract& api) {
    api.post(api.evaljobs(), an_evaljob("e"));
    const auto path = api.evaljobs() + "/e";
    EXPECT_EQ(api.patch(path, {{"metadata", {{"labels", {{"a", "b"}}}}}}).meta("generation"), 1);
    EXPECT_EQ(api.patch(path + "/status", {{"status", {{"attempt", 1}}}}).meta("generation"), 1);
    EXPECT_EQ(api.patch(path, {{"spec", {{"numNodes", 3}}}}).meta("generation"), 2);
}

void status_and_the_rest_are_written_apart(Contract& api) {
    api.post(api.evaljobs(), an_evaljob("e"));
    const auto path = api.evaljobs() + "/e";
    auto after = api.patch(path + "/status", {{"spec", {{"numNodes", 5}}}, {"status", {{"attempt", 9}}}}).body;
    EXPECT_EQ(after.at("status").at("attempt"), 9);
    EXPECT_EQ(after.at("spec").at("numNodes"), 2);
    after = api.patch(path, {{"spec", {{"numNodes", 5}}}, {"status", {{"attempt", 10}}}}).body;
    EXPECT_EQ(after.at("status").at("attempt"), 9);
    EXPECT_EQ(after.at("spec").at("numNodes"), 5);
    after["status"] = {{"attempt", 11}};
    EXPECT_EQ(api.put(path, after).body.at("status").at("attempt"), 9);
    after = api.get(path).body;
    after["status"] = {{"attempt", 12}};
    EXPECT_EQ(api.put(path + "/status", after).body.at("status").at("attempt"), 12);
    EXPECT_EQ(api.get(path + "/status").body.at("status").at("attempt"), 12);
}

void writes_cannot_change_what_the_server_keeps(Contract& api) {
    const auto made = api.post(api.evaljobs(), an_evaljob("e"));
    const auto with = [&](const char* field, const Json& value) {
        auto changed = made.body;
        changed["metadata"][field] = value;
        return api.put(api.evaljobs() + "/e", changed);
    };
    EXPECT_EQ(with("generation", 77).meta("generation"), 1);
    EXPECT_EQ(with("creationTimestamp", "1999-01-01T00:00:00Z").meta("creationTimestamp"),
              made.meta("creationTimestamp"));
    EXPECT_EQ(with("deletionTimestamp", "1999-01-01T00:00:00Z").status, 422);
    EXPECT_EQ(with("uid", "7a0e3c4e-0000-4000-8000-000000000000").status, 409) << "a precondition";
    EXPECT_EQ(api.get(api.evaljobs() + "/e").version(), made.version());
}

void a_write_that_changes_nothing_makes_no_version(Contract& api) {
    const auto made = api.post(api.evaljobs(), an_evaljob("e"));
    const auto again = api.patch(api.evaljobs() + "/e", {{"spec", {{"numNodes", 2}}}});
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.version(), made.version());
}

void writes_against_an_older_version_conflict(Contract& api) {
    const auto made = api.post(api.evaljobs(), an_evaljob("e"));
    const auto path = api.evaljobs() + "/e";
    const Json patch{{"metadata", {{"resourceVersion", made.version()}}}, {"status", {{"attempt", 1}}}};
    EXPECT_EQ(api.patch(path + "/status", patch).status, 200);
    const auto late = api.patch(path + "/status", patch);
    EXPECT_EQ(late.status, 409);
    EXPECT_EQ(late.reason(), "Conflict");
    EXPECT_EQ(api.put(path, made.body).status, 409);
}

void scale_is_the_number_of_nodes(Contract& api) {
    api.post(api.evaljobs(), an_evaljob("e"));
    const auto path = api.evaljobs() + "/e";
    api.patch(path + "/status", {{"status", {{"nodes", {{"total", 2}}}, {"selector", "a=b"}}}});
    auto scale = api.get(path + "/scale").body;
    EXPECT_EQ(scale.at("kind"), "Scale");
    EXPECT_EQ(scale.at("spec").at("replicas"), 2);
    EXPECT_EQ(scale.at("status"), (Json{{"replicas", 2}, {"selector", "a=b"}}));
    scale["spec"]["replicas"] = 4;
    EXPECT_EQ(api.put(path + "/scale", scale).body.at("spec").at("replicas"), 4);
    EXPECT_EQ(api.put(path + "/scale", scale).status, 409) << "its resourceVersion is the EvalJob's";
    EXPECT_EQ(api.patch(path + "/scale", {{"spec", {{"replicas", 3}}}}).status, 200);
    EXPECT_EQ(api.get(path).body.at("spec").at("numNodes"), 3);
    EXPECT_EQ(api.get(path).meta("generation"), 3);
}

void secrets_are_encoded(Contract& api) {
    api.post(api.secrets(), a_secret("s", {{"stringData", {{"token", "hello"}}}}));
    const auto secret = api.get(api.secrets() + "/s").body;
    EXPECT_EQ(secret.at("data").at("token"), "aGVsbG8=");
    EXPECT_FALSE(secret.contains("stringData"));
}

void immutable_secrets_stay(Contract& api) {
    api.post(api.secrets(), a_secret("s", {{"immutable", true}, {"stringData", {{"token", "hello"}}}}));
    const std::string path = api.secrets() + "/s";
    EXPECT_EQ(api.patch(path, {{"data", {{"token", "YWxhcw=="}}}}).status, 422);
    EXPECT_EQ(api.patch(path, {{"stringData", {{"more", "x"}}}}).status, 422);
    EXPECT_EQ(api.patch(path, {{"immutable", false}}).status, 422);
    EXPECT_EQ(api.patch(path, {{"metadata", {{"labels", {{"a", "b"}}}}}}).status, 200);
    EXPECT_EQ(api.get(path).body.at("data").at("token"), "aGVsbG8=");
}

void lists_select_by_label_and_namespace(Contract& api) {
    const auto labelled = [](const char* name, const Json& labels) {
        return a_secret(name, {{"metadata", {{"labels", labels}}}});
    };
    // A label that nobody else in the cluster has.
    const std::string of = api.ns;
    api.post(api.secrets(), labelled("a", {{"of", of}, {"job", "x"}, {"role", "node"}}));
    api.post(api.secrets(), labelled("b", {{"of", of}, {"job", "y"}}));
    api.post("/api/v1/namespaces/" + api.other_ns + "/secrets", labelled("c", {{"of", of}, {"job", "x"}}));
    const auto names = [&](const std::string& path, const std::string& selector) {
        std::string joined;
        const auto reply = api.get(path, {{"labelSelector", "of=" + of + selector}});
        for (const auto& item : reply.body.at("items")) joined += item.at("metadata").at("name").get<std::string>();
        return joined;
    };
    EXPECT_EQ(names(api.secrets(), ""), "ab");
    EXPECT_EQ(names("/api/v1/secrets", ""), "abc");
    EXPECT_EQ(names("/api/v1/secrets", ",job=x"), "ac");
    EXPECT_EQ(names("/api/v1/secrets", ",job==x,role=node"), "a");
    EXPECT_EQ(names("/api/v1/secrets", ",job!=x"), "b");
    EXPECT_EQ(names("/api/v1/secrets", ",role"), "a");
    EXPECT_EQ(names("/api/v1/secrets", ",!role"), "bc");
}

void pages_are_of_one_version(Contract& api) {
    for (const auto* name : {"a", "b", "c"}) api.post(api.secrets(), a_secret(name));
    const auto first = api.get(api.secrets(), {{"limit", "2"}});
    ASSERT_EQ(first.body.at("items").size(), 2U);
    api.remove(api.secrets() + "/c");
    api.post(api.secrets(), a_secret("d"));
    const auto second =
        api.get(api.secrets(), {{"limit", "2"}, {"continue", first.meta("continue").get<std::string>()}});
    ASSERT_EQ(second.body.at("items").size(), 1U);
    EXPECT_EQ(second.body.at("items")[0].at("metadata").at("name"), "c");
    EXPECT_EQ(second.version(), first.version());
    EXPECT_EQ(second.body.at("metadata").value("continue", ""), "");
    EXPECT_EQ(api.get(api.secrets(), {{"continue", "nonsense"}}).status, 400);
}

void a_pod_stays_until_its_kubelet_lets_go(Contract& api) {
    api.post(api.pods(), a_pod("p", {{"spec", {{"terminationGracePeriodSeconds", 7}}}}));
    const auto path = api.pods() + "/p";
    EXPECT_EQ(api.remove(path).status, 200);
    const auto begun = api.get(path);
    EXPECT_EQ(begun.meta("deletionGracePeriodSeconds"), 7);
    api.remove(path, {{"gracePeriodSeconds", 9}});
    EXPECT_EQ(api.get(path).meta("deletionTimestamp"), begun.meta("deletionTimestamp")) << "it is never made longer";
    EXPECT_EQ(api.get(path).meta("deletionGracePeriodSeconds"), 7);
    api.remove(path, {{"gracePeriodSeconds", 2}});
    EXPECT_EQ(api.get(path).meta("deletionGracePeriodSeconds"), 2);
    EXPECT_EQ(api.remove(path, {{"gracePeriodSeconds", 0}}).status, 200);
    EXPECT_EQ(api.get(path).status, 404);
}

void ended_pods_and_other_kinds_go_at_once(Contract& api) {
    api.post(api.pods(), a_pod("p"));
    api.patch(api.pods() + "/p/status", {{"status", {{"phase", "Failed"}}}});
    EXPECT_EQ(api.remove(api.pods() + "/p").status, 200);
    EXPECT_EQ(api.get(api.pods() + "/p").status, 404);
    api.post(api.secrets(), a_secret("s"));
    EXPECT_EQ(api.remove(api.secrets() + "/s").status, 200);
    EXPECT_EQ(api.get(api.secrets() + "/s").status, 404);
}

void a_removal_asks_for_its_uid(Contract& api) {
    const auto first = api.post(api.secrets(), a_secret("s"));
    api.remove(api.secrets() + "/s");
    const auto second = api.post(api.secrets(), a_secret("s"));
    EXPECT_NE(first.uid(), second.uid());
    EXPECT_EQ(api.remove(api.secrets() + "/s", {{"preconditions", {{"uid", first.uid()}}}}).status, 409);
    EXPECT_EQ(api.remove(api.secrets() + "/s", {{"preconditions", {{"uid", second.uid()}}}}).status, 200);
}

void finalizers_hold_a_deleted_object(Contract& api) {
    api.post(api.evaljobs(), an_evaljob("e", {{"metadata", {{"finalizers", {"test.example/hold"}}}}}));
    api.remove(api.evaljobs() + "/e");
    EXPECT_TRUE(api.get(api.evaljobs() + "/e").body.at("metadata").contains("deletionTimestamp"));
    EXPECT_EQ(api.patch(api.evaljobs() + "/e", {{"metadata", {{"finalizers", nullptr}}}}).status, 200);
    EXPECT_EQ(api.get(api.evaljobs() + "/e").status, 404);
}

void what_is_owned_goes_with_its_owner(Contract& api) {
    const auto owner = api.post(api.evaljobs(), an_evaljob("e"));
    const Json owned = owner_of("EvalJob", "evaljob.dev/v1alpha1", "e", owner.uid());
    const auto middle = api.post(api.secrets(), a_secret("middle", owned));
    api.post(api.secrets(), a_secret("leaf", owner_of("Secret", "v1", "middle", middle.uid())));
    api.post(api.pods(), a_pod("p", owned));
    api.post(api.secrets(), a_secret("free"));
    api.remove(api.evaljobs() + "/e");
    for (const auto* name : {"middle", "leaf"}) {
        EXPECT_TRUE(Contract::eventually([&] { return api.get(api.secrets() + "/" + name).status == 404; })) << name;
    }
    EXPECT_TRUE(Contract::eventually([&] {
        const auto pod = api.get(api.pods() + "/p");
        return pod.status == 404 || pod.body.at("metadata").contains("deletionTimestamp");
    }));
    EXPECT_EQ(api.get(api.secrets() + "/free").status, 200);
}

void an_orphan_is_collected_when_it_comes(Contract& api) {
    const auto made = api.post(api.secrets(),
                               a_secret("s", owner_of("Secret", "v1", "gone", "7a0e3c4e-0000-4000-8000-000000000000")));
    EXPECT_EQ(made.status, 201) << made.message();
    EXPECT_TRUE(Contract::eventually([&] { return api.get(api.secrets() + "/s").status == 404; }));
}

}  // namespace

std::vector<ContractRow> contract_rows_of_writes() {
    return {
        {"CreationFillsInWhatTheServerKeeps", creation_fills_in_what_the_server_keeps},
        {"GenerateNameMakesDifferentNames", generate_name_makes_different_names},
        {"GenerationRisesWithTheSpecAlone", generation_rises_with_the_spec_alone},
        {"StatusAndTheRestAreWrittenApart", status_and_the_rest_are_written_apart},
        {"WritesCannotChangeWhatTheServerKeeps", writes_cannot_change_what_the_server_keeps},
        {"AWriteThatChangesNothingMakesNoVersion", a_write_that_changes_nothing_makes_no_version},
        {"WritesAgainstAnOlderVersionConflict", writes_against_an_older_version_conflict},
        {"ScaleIsTheNumberOfNodes", scale_is_the_number_of_nodes},
        {"SecretsAreEncoded", secrets_are_encoded},
        {"ImmutableSecretsStay", immutable_secrets_stay},
        {"ListsSelectByLabelAndNamespace", lists_select_by_label_and_namespace},
        {"PagesAreOfOneVersion", pages_are_of_one_version},
        {"APodStaysUntilItsKubeletLetsGo", a_pod_stays_until_its_kubelet_lets_go},
        {"EndedPodsAndOtherKindsGoAtOnce", ended_pods_and_other_kinds_go_at_once},
        {"ARemovalAsksForItsUid", a_removal_asks_for_its_uid},
        {"FinalizersHoldADeletedObject", finalizers_hold_a_deleted_object},
        {"WhatIsOwnedGoesWithItsOwner", what_is_owned_goes_with_its_owner},
        {"AnOrphanIsCollectedWhenItComes", an_orphan_is_collected_when_it_comes},
    };
}

}  // namespace evaljob::test
