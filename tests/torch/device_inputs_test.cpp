// Which inputs are brought ahead to a device, on one that only pretends to be another than the CPU.
#include "evaljob-runner/engine/device_inputs.hpp"

#include <ATen/ops/cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "evaljob-runner/engine/torch_classifier.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

/// Writes down what happens.
struct Log {
    std::vector<std::string> said;
    bool cannot_send = false;
};

struct SentAhead : Prepared {
    explicit SentAhead(at::Tensor sent) : input(std::move(sent)) {}
    at::Tensor input;
};

class PretendedInputs : public DeviceInputs {
public:
    explicit PretendedInputs(Log& log) : log_(log) {}
    std::shared_ptr<Prepared> send(const Part& part) override {
        if (log_.cannot_send) throw std::runtime_error("CUDA out of memory");
        log_.said.push_back("sent " + std::to_string(part.size()));
        return std::make_shared<SentAhead>(input_of(part));
    }
    at::Tensor arrived(Prepared& sent) override {
        log_.said.emplace_back("arrived");
        return static_cast<SentAhead&>(sent).input;
    }

private:
    Log& log_;
};

class Ahead : public testing::Test {
protected:
    Ahead() {
        dataset_.name = "pixels";
        dataset_.task.type = TaskType::Classification;
    }

    /// Samples of one pixel; its class is 0 when it is dark, else 1.
    EngineBatch batch_of(const std::string& pixels) {
        texts_.push_back(std::make_unique<std::string>(pixels));
        EngineBatch batch{0, &dataset_, {}, nullptr};
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            Request request;
            request.sample.shape = {1};
            request.sample.bytes = std::string_view(*texts_.back()).substr(i, 1);
            batch.requests.push_back(std::move(request));
        }
        return batch;
    }

    std::vector<Json> classes(Engine& engine, EngineBatch batch) {
        engine.begin(std::move(batch));
        const auto answer = engine.next();
        if (!answer) return {answer.error().message};
        std::vector<Json> classes;
        for (const Prediction& prediction : answer->predictions) classes.push_back(prediction.prediction);
        return classes;
    }

    std::unique_ptr<Engine> engine() {
        const auto forward = [this](const at::Tensor& input) -> Result<at::Tensor> {
            if (input.size(0) > most_) throw std::runtime_error("CUDA out of memory. Tried to allocate 2.00 MiB.");
            log_.said.push_back("computed " + std::to_string(input.size(0)));
            return at::cat({input.neg().add(0.5), input.sub(0.5)}, 1);
        };
        return torch_classifier(forward, c10::Device(c10::kCPU), std::make_unique<PretendedInputs>(log_));
    }

    Log log_;
    std::int64_t most_ = 100;
    Dataset dataset_;
    std::vector<std::unique_ptr<std::string>> texts_;
};

TEST_F(Ahead, ABatchIsSentOnce) {
    const auto classifier = engine();
    EngineBatch first = batch_of("\x00\xff\x10"s);
    EngineBatch second = batch_of("\xf0\x0f"s);
    classifier->prepare(first);
    classifier->prepare(second);
    EXPECT_THAT(classes(*classifier, std::move(first)), ElementsAre(0, 1, 0));
    EXPECT_THAT(classes(*classifier, std::move(second)), ElementsAre(1, 0));
    EXPECT_THAT(log_.said, ElementsAre("sent 3", "sent 2", "arrived", "computed 3", "arrived", "computed 2"));
}

TEST_F(Ahead, ABatchThatNobodyPreparedIsComputedAsWell) {
    EXPECT_THAT(classes(*engine(), batch_of("\x00\xff"s)), ElementsAre(0, 1));
    EXPECT_THAT(log_.said, ElementsAre("computed 2"));
}

TEST_F(Ahead, WhatIsComputedInPartsIsNotWhatWasSent) {
    const auto classifier = engine();
    most_ = 2;
    EngineBatch batch = batch_of("\x00\xff\xff\x00"s);
    classifier->prepare(batch);
    EXPECT_THAT(classes(*classifier, std::move(batch)), ElementsAre(0, 1, 1, 0));
    EXPECT_THAT(log_.said, ElementsAre("sent 4", "arrived", "computed 2", "computed 2"));
}

TEST_F(Ahead, WhatCannotBeSentIsNoFailure) {
    const auto classifier = engine();
    log_.cannot_send = true;
    EngineBatch batch = batch_of("\x00\xff"s);
    classifier->prepare(batch);
    EXPECT_THAT(classes(*classifier, std::move(batch)), ElementsAre(0, 1));
    EXPECT_THAT(log_.said, ElementsAre("computed 2"));
}

TEST_F(Ahead, NothingIsSentForAnotherTask) {
    const auto classifier = engine();
    EngineBatch batch = batch_of("\x00"s);
    dataset_.task.type = TaskType::Generation;
    classifier->prepare(batch);
    EXPECT_FALSE(batch.prepared);
}

TEST(DeviceInputs, OfTheCpuAreNone) { EXPECT_FALSE(device_inputs(c10::Device(c10::kCPU))); }

/// On a machine that has a GPU: the copy stream itself.
TEST(DeviceInputs, OnAGpuAreTheCpusBitByBit) {
    if (!std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "no CUDA device";
    const c10::Device gpu("cuda:0");
    const auto inputs = device_inputs(gpu);
    std::string bytes(std::size_t{256} * 64, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i + i / 256);
    std::vector<std::shared_ptr<Prepared>> sent;
    std::vector<at::Tensor> expected;
    for (std::size_t batch = 0; batch < 16; ++batch) {
        std::vector<Request> requests(2);
        for (std::size_t i = 0; i < requests.size(); ++i) {
            requests[i].sample.shape = {4, 64};
            requests[i].sample.bytes = std::string_view(bytes).substr((batch * 2 + i) * 256, 256);
        }
        const Part part{&requests[0], &requests[1]};
        sent.push_back(inputs->send(part));
        expected.push_back(input_of(part));
        if (batch % 3 == 0) sent.back().reset();  // nobody asks for it
    }
    for (std::size_t batch = 0; batch < sent.size(); ++batch) {
        if (sent[batch]) {
            EXPECT_TRUE(inputs->arrived(*sent[batch]).to(c10::kCPU).equal(expected[batch])) << batch;
        }
    }
}

}  // namespace
}  // namespace evaljob::test
