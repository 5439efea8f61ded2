#include "api/crd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/contract.hpp"
#include "api/yaml.hpp"
#include "golden.hpp"

namespace evaljob::test {
namespace {

const Json& schema_at(const Json& definition, const std::string& pointer) {
    return definition.at(Json::json_pointer("/spec/versions/0/schema/openAPIV3Schema/properties" + pointer));
}

TEST(Crd, IsTheCommittedFile) {
    const std::string yaml =
        "# Made from api/schema_*.cpp; the test Crd.IsTheCommittedFile writes it with EVALJOB_UPDATE_GOLDEN=1.\n" +
        to_yaml(crd());
    expect_golden("crds/evaljobs.evaljob.dev.yaml", yaml);
    // A chart can only hold files of its own, and in an archive they are no links.
    expect_golden("charts/evaljob/files/evaljobs.evaljob.dev.yaml", yaml);
    const auto read = parse_yaml(read_source("crds/evaljobs.evaljob.dev.yaml"), "the CRD");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, crd());
}

TEST(Crd, StaysFarBelowKubectlsLimitForAnnotations) {
    // kubectl apply copies the object into an annotation of at most 262,144 bytes.
    EXPECT_LT(crd().dump().size(), 256U * 1024U / 3);
}

TEST(Crd, HasAtMostSixColumnsByDefault) {
    std::vector<std::string> names;
    const Json definition = crd();
    for (const Json& column : definition["spec"]["versions"][0]["additionalPrinterColumns"]) {
        if (column.value("priority", 0) == 0) names.push_back(column["name"].get<std::string>());
    }
    EXPECT_THAT(names, testing::ElementsAre("Status", "Nodes", "Progress", "Score", "Restarts", "Age"));
}

/// Calls visit(path, schema) for every schema below.
template <class Visit>
void walk(const Json& schema, const std::string& path, const Visit& visit) {
    visit(path, schema);
    if (schema.contains("properties")) {
        for (const auto& [key, member] : schema["properties"].items()) walk(member, path + "." + key, visit);
    }
    if (schema.contains("items")) walk(schema["items"], path + "[]", visit);
    if (schema.contains("additionalProperties")) walk(schema["additionalProperties"], path + "{}", visit);
}

TEST(Crd, HasNoFloatsAndADescriptionEverywhere) {
    int fields = 0;
    for (const char* part : {"/spec", "/status"}) {
        walk(schema_at(crd(), part), part, [&fields](const std::string& path, const Json& schema) {
            EXPECT_THAT(schema["type"].get<std::string>(),
                        testing::AnyOf("object", "array", "string", "integer", "boolean"))
                << path;
            EXPECT_TRUE(schema.contains("description") || path.ends_with("{}") || path.ends_with("[]")) << path;
            ++fields;
        });
    }
    EXPECT_GT(fields, 100);
}

TEST(Crd, BoundsEveryTextListAndMapOfSpec) {
    walk(schema_at(crd(), "/spec"), "spec", [](const std::string& path, const Json& schema) {
        const std::string type = schema["type"].get<std::string>();
        if (type == "string") {
            EXPECT_TRUE(schema.contains("maxLength") || schema.contains("enum")) << path;
        }
        if (type == "array") {
            EXPECT_TRUE(schema.contains("maxItems")) << path;
        }
        if (schema.contains("additionalProperties")) {
            EXPECT_TRUE(schema.contains("maxProperties")) << path;
        }
    });
}

TEST(Crd, RefusesEveryReservedVariableByItsName) {
    const Json definition = crd();
    for (const char* list : {"containers", "initContainers"}) {
        const Json& name = schema_at(definition, std::string("/spec/properties/template/properties/spec/properties/") +
                                                     list + "/items/properties/env/items/properties/name");
        const std::string rule = name.at("x-kubernetes-validations")[0].at("rule").get<std::string>();
        for (const std::string_view variable : reserved_variables()) {
            EXPECT_THAT(rule, testing::HasSubstr("'" + std::string(variable) + "'"));
        }
    }
}

TEST(Crd, WhatWasPlannedIsImmutable) {
    const Json definition = crd();
    std::string rules;
    for (const Json& rule : schema_at(definition, "/spec").at("x-kubernetes-validations"))
        rules += rule.at("rule").get<std::string>() + "\n";
    for (const char* key :
         {"eval", "template", "storage", "merge", "rendezvous", "numProcPerNode", "managedBy", "scheduling"})
        EXPECT_THAT(rules, testing::HasSubstr("self." + std::string(key) + " == oldSelf." + key));
}

TEST(Crd, ScalesByNodes) {
    const Json definition = crd();
    EXPECT_EQ(definition["spec"]["versions"][0]["subresources"]["scale"],
              (Json{{"specReplicasPath", ".spec.numNodes"},
                    {"statusReplicasPath", ".status.nodes.total"},
                    {"labelSelectorPath", ".status.selector"}}));
}

TEST(FieldReference, IsTheCommittedPage) { expect_golden("docs/evaljob.md", field_reference()); }

}  // namespace
}  // namespace evaljob::test
