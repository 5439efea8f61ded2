#include "operator/kube/managed_fields.hpp"

#include <gtest/gtest.h>

namespace evaljob::kube {
namespace {

struct Row {
    const char* name;
    const char* text;
    const char* kept;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class WithoutManagedFields : public testing::TestWithParam<Row> {};

TEST_P(WithoutManagedFields, KeepsTheRest) { EXPECT_EQ(without_managed_fields(GetParam().text), GetParam().kept); }

constexpr Row rows[] = {
    {"None", R"({"metadata":{"name":"a"}})", R"({"metadata":{"name":"a"}})"},
    {"One",
     R"({"metadata":{"managedFields":[{"manager":"k","fieldsV1":{"f:a":{"k:{\"x\":[1]}":{}},"f:b":[[]]}}],"name":"a"}})",
     R"({"metadata":{"managedFields":[],"name":"a"}})"},
    {"EachOfAList",
     R"([{"managedFields":[{"manager":"a"}]},{"managedFields":[{"manager":"b]"},{"manager":"c"}],"x":"[{"}])",
     R"([{"managedFields":[]},{"managedFields":[],"x":"[{"}])"},
    {"EscapesBeforeQuotes", R"({"managedFields":[{"manager":"\\\"]\\"}],"x":1})", R"({"managedFields":[],"x":1})"},
    {"InAString", R"({"x":"\"managedFields\":[{\"manager\":\"a\"}]"})",
     R"({"x":"\"managedFields\":[{\"manager\":\"a\"}]"})"},
    {"OfAnothersMaking", R"({"managedFields":[{"name":"mine"}]})", R"({"managedFields":[{"name":"mine"}]})"},
    {"WithoutEnd", R"({"managedFields":[{"manager":"a)", R"({"managedFields":[{"manager":"a)"},
    {"WithoutEndOfAString", R"({"managedFields":[{"manager":"a\)", R"({"managedFields":[{"manager":"a\)"},
    {"Nothing", "", ""},
};
INSTANTIATE_TEST_SUITE_P(Rows, WithoutManagedFields, testing::ValuesIn(rows),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::kube
