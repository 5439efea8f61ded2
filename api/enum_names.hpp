// How the API spells its enumerations. One row a value; the schema's tables are checked against these by a test.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "api/evaljob.hpp"

namespace evaljob {

template <class E>
struct EnumNames;

template <>
struct EnumNames<ModelFormat> {
    static constexpr std::array<std::pair<ModelFormat, std::string_view>, 4> rows{
        {{ModelFormat::TorchScript, "TorchScript"},
         {ModelFormat::AOTInductor, "AOTInductor"},
         {ModelFormat::Command, "Command"},
         {ModelFormat::OpenAI, "OpenAI"}}};
};
template <>
struct EnumNames<DatasetFormat> {
    static constexpr std::array<std::pair<DatasetFormat, std::string_view>, 3> rows{
        {{DatasetFormat::IDX, "IDX"}, {DatasetFormat::JSONL, "JSONL"}, {DatasetFormat::TSV, "TSV"}}};
};
template <>
struct EnumNames<TaskType> {
    static constexpr std::array<std::pair<TaskType, std::string_view>, 3> rows{
        {{TaskType::Classification, "Classification"},
         {TaskType::Generation, "Generation"},
         {TaskType::MultipleChoice, "MultipleChoice"}}};
};
template <>
struct EnumNames<TaskMetric> {
    static constexpr std::array<std::pair<TaskMetric, std::string_view>, 7> rows{
        {{TaskMetric::ExactMatch, "ExactMatch"},
         {TaskMetric::NormalizedExactMatch, "NormalizedExactMatch"},
         {TaskMetric::VQAAccuracy, "VQAAccuracy"},
         {TaskMetric::F1, "F1"},
         {TaskMetric::ROUGEL, "ROUGEL"},
         {TaskMetric::Accuracy, "Accuracy"},
         {TaskMetric::NormalizedAccuracy, "NormalizedAccuracy"}}};
};
template <>
struct EnumNames<Backend> {
    static constexpr std::array<std::pair<Backend, std::string_view>, 4> rows{
        {{Backend::Auto, "Auto"}, {Backend::NCCL, "NCCL"}, {Backend::Gloo, "Gloo"}, {Backend::None, "None"}}};
};

template <>
struct EnumNames<Device> {
    static constexpr std::array<std::pair<Device, std::string_view>, 3> rows{
        {{Device::Auto, "Auto"}, {Device::CPU, "CPU"}, {Device::CUDA, "CUDA"}}};
};
template <>
struct EnumNames<Schedule> {
    static constexpr std::array<std::pair<Schedule, std::string_view>, 2> rows{
        {{Schedule::Dynamic, "Dynamic"}, {Schedule::Static, "Static"}}};
};
template <>
struct EnumNames<Precision> {
    static constexpr std::array<std::pair<Precision, std::string_view>, 3> rows{
        {{Precision::FP32, "FP32"}, {Precision::BF16, "BF16"}, {Precision::FP16, "FP16"}}};
};
template <>
struct EnumNames<CudaGraphs> {
    static constexpr std::array<std::pair<CudaGraphs, std::string_view>, 2> rows{
        {{CudaGraphs::None, "None"}, {CudaGraphs::Auto, "Auto"}}};
};
template <>
struct EnumNames<TokenLimit> {
    static constexpr std::array<std::pair<TokenLimit, std::string_view>, 3> rows{
        {{TokenLimit::Auto, "Auto"},
         {TokenLimit::MaxTokens, "max_tokens"},
         {TokenLimit::MaxCompletionTokens, "max_completion_tokens"}}};
};
template <>
struct EnumNames<SendSeed> {
    static constexpr std::array<std::pair<SendSeed, std::string_view>, 3> rows{
        {{SendSeed::Auto, "Auto"}, {SendSeed::Always, "Always"}, {SendSeed::Never, "Never"}}};
};
template <>
struct EnumNames<ContentFilter> {
    static constexpr std::array<std::pair<ContentFilter, std::string_view>, 2> rows{
        {{ContentFilter::Fail, "Fail"}, {ContentFilter::Answer, "Answer"}}};
};
template <>
struct EnumNames<Proxy> {
    static constexpr std::array<std::pair<Proxy, std::string_view>, 2> rows{
        {{Proxy::None, "None"}, {Proxy::Environment, "Environment"}}};
};
template <>
struct EnumNames<BackupLeases> {
    static constexpr std::array<std::pair<BackupLeases, std::string_view>, 3> rows{
        {{BackupLeases::Auto, "Auto"}, {BackupLeases::Always, "Always"}, {BackupLeases::Never, "Never"}}};
};
template <>
struct EnumNames<Targets> {
    static constexpr std::array<std::pair<Targets, std::string_view>, 2> rows{
        {{Targets::Auto, "Auto"}, {Targets::Text, "Text"}}};
};
template <>
struct EnumNames<RestartScope> {
    static constexpr std::array<std::pair<RestartScope, std::string_view>, 2> rows{
        {{RestartScope::Node, "Node"}, {RestartScope::Group, "Group"}}};
};
template <>
struct EnumNames<RestartAction> {
    static constexpr std::array<std::pair<RestartAction, std::string_view>, 3> rows{
        {{RestartAction::Restart, "Restart"},
         {RestartAction::RestartIgnoreLimit, "RestartIgnoreLimit"},
         {RestartAction::Fail, "Fail"}}};
};

template <>
struct EnumNames<Retention> {
    static constexpr std::array<std::pair<Retention, std::string_view>, 2> rows{
        {{Retention::Retain, "Retain"}, {Retention::Delete, "Delete"}}};
};
template <>
struct EnumNames<Writers> {
    static constexpr std::array<std::pair<Writers, std::string_view>, 2> rows{
        {{Writers::Ranks, "Ranks"}, {Writers::Node0, "Node0"}}};
};
template <>
struct EnumNames<Gang> {
    static constexpr std::array<std::pair<Gang, std::string_view>, 5> rows{{{Gang::None, "None"},
                                                                            {Gang::Auto, "Auto"},
                                                                            {Gang::Native, "Native"},
                                                                            {Gang::Volcano, "Volcano"},
                                                                            {Gang::Coscheduling, "Coscheduling"}}};
};

template <class E>
std::string name_of(E value) {
    for (const auto& [candidate, name] : EnumNames<E>::rows) {
        if (candidate == value) return std::string(name);
    }
    return {};
}

template <class E>
E value_named(std::string_view name, E otherwise) {
    for (const auto& [value, candidate] : EnumNames<E>::rows) {
        if (candidate == name) return value;
    }
    return otherwise;
}

}  // namespace evaljob
