// A dataset's file of text as a test writes it: its samples, or why it is refused.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/manifest/dataset_samples.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {

class TextDataset : public testing::Test {
protected:
    TextDataset(const std::string& name, DatasetFormat format, const std::string& file) {
        dataset_.name = name;
        dataset_.format = format;
        dataset_.path = file;
        dataset_.task.type = TaskType::Generation;
        dataset_.task.metrics = {TaskMetric::ExactMatch};
    }

    /// Why the file is refused; empty when it is not.
    std::string refusal(const std::string& text) {
        folder_.write(dataset_.path, text);
        Manifest manifest;
        const auto config = add_samples(dataset_, 0, folder_.path(), manifest);
        return config ? "" : config.error().reason + ": " + config.error().message;
    }

    /// What the manifest says of the dataset.
    Json config(const std::string& text) {
        folder_.write(dataset_.path, text);
        Manifest manifest;
        return add_samples(dataset_, 0, folder_.path(), manifest).value();
    }

    std::vector<Sample> samples(const std::string& text) {
        folder_.write(dataset_.path, text);
        auto reader = open_dataset(dataset_, folder_.path());
        if (!reader) throw std::runtime_error(reader.error().message);
        std::vector<Sample> samples;
        for (std::uint64_t i = 0; i < (*reader)->size(); ++i) {
            auto sample = (*reader)->sample(i);
            if (!sample) throw std::runtime_error(sample.error().message);
            samples.push_back(*sample);
        }
        return samples;
    }

    TemporaryFolder folder_;
    Dataset dataset_;
};

}  // namespace evaljob::test
