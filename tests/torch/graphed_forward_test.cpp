// Which forwards are recorded and replayed, on a device that only pretends to. What a GPU records is gpu_test's.
#include "evaljob-runner/engine/graphed_forward.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "evaljob-runner/engine/device_inputs.hpp"
#include "evaljob-runner/engine/graph_choice.hpp"

namespace evaljob::test {
namespace {

constexpr int trial = GraphChoice::warm_up + GraphChoice::timed;  // batches before one is recorded

/// What happens to the pretended GPU and its forward, and what it is to do.
struct Gpu {
    int forwards = 0;  // also those that are recorded
    int replays = 0;
    int recordings = 0;  // that there are
    double eager = 2;
    double replayed = 1;  // milliseconds
    float wrong_by = 0;   // in a replay
    std::string cannot_record;
    std::string fails;
};

at::Tensor twice(const at::Tensor& input) { return input.mul(2); }

class PretendedRecording : public Recording {
public:
    explicit PretendedRecording(Gpu& gpu) : gpu_(gpu) { ++gpu_.recordings; }
    ~PretendedRecording() override { --gpu_.recordings; }
    PretendedRecording(const PretendedRecording&) = delete;
    PretendedRecording& operator=(const PretendedRecording&) = delete;
    at::Tensor replay(const at::Tensor& input) override {
        ++gpu_.replays;
        return twice(input).add(gpu_.wrong_by);
    }

private:
    Gpu& gpu_;
};

class PretendedRecorder : public GraphRecorder {
public:
    explicit PretendedRecorder(Gpu& gpu) : gpu_(gpu) {}
    std::unique_ptr<Recording> record(const Forward& forward, const at::Tensor& input) override {
        if (!gpu_.cannot_record.empty()) throw std::runtime_error(gpu_.cannot_record);
        forward(input);
        return std::make_unique<PretendedRecording>(gpu_);
    }
    double milliseconds(const std::function<void()>& compute) override {
        const int before = gpu_.replays;
        compute();
        return gpu_.replays > before ? gpu_.replayed : gpu_.eager;
    }

private:
    Gpu& gpu_;
};

class Graphed : public testing::Test {
protected:
    /// Batches of so many samples, each with other numbers; true when all got their own scores.
    bool compute(int batches, std::int64_t samples = 4) {
        for (int i = 0; i < batches; ++i) {
            const at::Tensor input = at::full({samples, 3}, ++number_);
            const auto scores = forward_(input);
            if (!scores || !scores->equal(twice(input))) return false;
        }
        return true;
    }

    Gpu gpu_;
    Forward forward_ = graphed_forward(
        [this](const at::Tensor& input) -> Result<at::Tensor> {
            ++gpu_.forwards;
            if (!gpu_.fails.empty()) throw std::runtime_error(std::exchange(gpu_.fails, ""));
            return twice(input);
        },
        std::make_unique<PretendedRecorder>(gpu_));

private:
    float number_ = 0;
};

TEST_F(Graphed, IsReplayedWhereThatIsFaster) {
    EXPECT_TRUE(compute(trial));
    EXPECT_EQ(gpu_.forwards, trial);
    EXPECT_EQ(gpu_.replays, 0);
    EXPECT_TRUE(compute(1));
    EXPECT_EQ(gpu_.forwards, trial + 2) << "the batch's own, and the recorded one";
    EXPECT_TRUE(compute(20));
    EXPECT_EQ(gpu_.forwards, trial + 2);
    EXPECT_EQ(gpu_.replays, 1 + 20) << "one to compare";
    EXPECT_EQ(gpu_.recordings, 1);
}

TEST_F(Graphed, IsNotWhereThatIsSlower) {
    gpu_.replayed = 3;
    EXPECT_TRUE(compute(trial + 1 + GraphChoice::timed + 20));
    EXPECT_EQ(gpu_.replays, 1 + GraphChoice::timed);
    EXPECT_EQ(gpu_.recordings, 0) << "its memory";
}

TEST_F(Graphed, IsNotWhereItGivesOtherNumbers) {
    gpu_.wrong_by = 1e-3F;
    EXPECT_TRUE(compute(trial + 30));
    EXPECT_EQ(gpu_.replays, 1);
    EXPECT_EQ(gpu_.recordings, 0);
}

TEST_F(Graphed, FailsNoBatchWhenItCannotBeRecorded) {
    gpu_.cannot_record = "CUDA error: operation not permitted when stream is capturing";
    EXPECT_TRUE(compute(trial + 10));
    gpu_.cannot_record = "";
    EXPECT_TRUE(compute(trial + 10, 5));
    EXPECT_EQ(gpu_.replays, 0) << "also of another size: it is the model's affair";
}

TEST_F(Graphed, HasAGraphForEachSizeAndNoMoreThanSoMany) {
    const auto most = static_cast<std::int64_t>(most_graphs);
    for (std::int64_t samples = 1; samples <= most + 2; ++samples) EXPECT_TRUE(compute(trial + 1, samples)) << samples;
    EXPECT_EQ(gpu_.recordings, most);
    for (std::int64_t samples = 1; samples <= most + 2; ++samples) EXPECT_TRUE(compute(20, samples)) << samples;
}

TEST_F(Graphed, GivesItsMemoryUpBeforeABatchIsHalved) {
    EXPECT_TRUE(compute(trial + 10));
    EXPECT_EQ(gpu_.recordings, 1);
    gpu_.fails = "CUDA out of memory. Tried to allocate 20.00 MiB.";
    EXPECT_TRUE(compute(1, 1000));
    EXPECT_EQ(gpu_.recordings, 0);
    EXPECT_TRUE(compute(30));
    EXPECT_EQ(gpu_.recordings, 0);
}

TEST_F(Graphed, LeavesOtherErrorsToWhoKnowsThem) {
    gpu_.fails = "CUDA out of memory. Tried to allocate 20.00 MiB.";
    EXPECT_THROW(compute(1), std::runtime_error) << "there is no graph to give up";
    EXPECT_TRUE(compute(trial + 10));
    gpu_.fails = "size mismatch";
    EXPECT_THROW(compute(1, 7), std::runtime_error);
    EXPECT_EQ(gpu_.recordings, 1);
}

TEST(WithGraphs, AreForGpusAlone) {
    int calls = 0;
    const Forward forward = with_graphs(
        [&](const at::Tensor& input) -> Result<at::Tensor> {
            ++calls;
            return input;
        },
        c10::Device(c10::kCPU), CudaGraphs::Auto);
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(forward(at::zeros({2, 2})));
    EXPECT_EQ(calls, 30);
}

/// On a machine that has a GPU: graphs themselves, while another thread's stream copies.
class GraphsOnAGpu : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "no CUDA device";
    }

    /// Batches that were copied ahead get the scores that they get without graphs, bit by bit.
    static void expect_the_same(const Forward& forward) {
        const c10::InferenceMode no_gradients;
        const Forward graphed = with_graphs(forward, gpu, CudaGraphs::Auto);
        const auto inputs = device_inputs(gpu);
        std::string bytes(4096, '\0');
        for (int batch = 0; batch < 60; ++batch) {
            for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 64 + batch);
            Request request;
            request.sample.shape = {64, 64};
            request.sample.bytes = bytes;
            const auto sent = inputs->send({&request});
            const at::Tensor input = inputs->arrived(*sent);
            EXPECT_TRUE((*graphed(input)).equal(*forward(input))) << batch;
        }
    }

    static const c10::Device gpu;
};
const c10::Device GraphsOnAGpu::gpu("cuda:0");

TEST_F(GraphsOnAGpu, GiveTheSameScores) {
    expect_the_same([](const at::Tensor& input) -> Result<at::Tensor> { return input.matmul(input).relu().sum(2); });
}

/// The device is asked for a number in between, which no graph can do: what a failed recording leaves behind is mended.
TEST_F(GraphsOnAGpu, AreGivenUpWhereTheyCannotBeRecorded) {
    expect_the_same([](const at::Tensor& input) -> Result<at::Tensor> {
        return input.mul(input.sum().item<float>() > 1 ? 2 : 1).sum(2);
    });
}

}  // namespace
}  // namespace evaljob::test
