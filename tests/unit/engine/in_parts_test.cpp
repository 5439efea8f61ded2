// A batch that cannot be computed whole: what is tried, in which order, and what comes of it.
#include "evaljob-runner/engine/in_parts.hpp"

#include <gmock/gmock.h>

#include <set>

#include "evaljob-runner/engine/halving.hpp"
#include "evaljob-runner/engine/torch_words.hpp"
#include "tests/unit/engine/outcomes.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

EngineBatch batch_of(std::size_t samples) {
    EngineBatch batch;
    batch.ticket = 7;
    for (std::size_t i = 0; i < samples; ++i) {
        batch.requests.emplace_back();
        batch.requests.back().sample.id = std::to_string(i);
    }
    return batch;
}

/// An engine with room for so many samples at once, which fails on some.
struct Fake {
    std::size_t room = 1'000;
    std::set<std::string> poisoned;
    std::vector<std::size_t> tried;  // how large the parts were

    Computed operator()(const Part& part) {
        tried.push_back(part.size());
        if (part.size() > room) return Setback{true, "no room", Error{"OutOfMemory", "no room for one", true}};
        std::vector<Prediction> predictions;
        for (const Request* request : part) {
            if (poisoned.count(request->sample.id) > 0)
                return Setback{false, "poison", Error{"BadInput", "it is all poison", false}};
            predictions.push_back({Json("of " + request->sample.id), Json::object(), ""});
        }
        return predictions;
    }
};

struct Row {
    const char* name;
    std::size_t samples;
    std::size_t room;
    std::set<std::string> poisoned;
    std::vector<std::size_t> tried;
    std::vector<std::string> outcomes;
    std::uint32_t parts;
};

class BatchInParts : public testing::TestWithParam<Row> {};

TEST_P(BatchInParts, HasAnOutcomeForEachSample) {
    const Row& row = GetParam();
    Fake fake{row.room, row.poisoned, {}};
    InParts in_parts;
    const auto answer = in_parts.evaluate(batch_of(row.samples), std::ref(fake));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->ticket, 7U);
    EXPECT_EQ(outcomes_of(*answer), row.outcomes);
    EXPECT_EQ(fake.tried, row.tried);
    EXPECT_EQ(answer->parts, row.parts);
    EXPECT_EQ(answer->why_parts.empty(), row.parts == 1);
}

const std::string no_room = "failed: there is not enough memory for it, even alone";

INSTANTIATE_TEST_SUITE_P(
    Table, BatchInParts,
    testing::Values(
        Row{"AsPlanned", 3, 3, {}, {3}, {"of 0", "of 1", "of 2"}, 1},
        Row{"HalvesFit", 4, 2, {}, {4, 2, 2}, {"of 0", "of 1", "of 2", "of 3"}, 2},
        Row{"AnOddOneMoreInTheFirst", 5, 3, {}, {5, 3, 2}, {"of 0", "of 1", "of 2", "of 3", "of 4"}, 2},
        Row{"QuartersFit", 4, 1, {}, {4, 2, 1, 1, 2, 1, 1}, {"of 0", "of 1", "of 2", "of 3"}, 4},
        Row{"APoisonedSampleIsAlone", 4, 9, {"2"}, {4, 2, 2, 1, 1}, {"of 0", "of 1", "failed: poison", "of 3"}, 3},
        Row{"ABatchOfOnePoisonedSample", 1, 9, {"0"}, {1}, {"failed: poison"}, 1},
        Row{"NoRoomForOne", 2, 0, {}, {2, 1, 1}, {no_room, no_room}, 2},
        Row{"TwoPoisoned", 3, 9, {"0", "2"}, {3, 2, 1, 1, 1}, {"failed: poison", "of 1", "failed: poison"}, 3}),
    [](const auto& row) { return row.param.name; });

TEST(EngineThatComputesNothing, IsAnErrorAndNotManyFailedSamples) {
    InParts in_parts;
    Fake fake{1'000, {"0", "1", "2", "3", "4", "5", "6", "7"}, {}};
    const auto answer = in_parts.evaluate(batch_of(8), std::ref(fake));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().reason, "BadInput");
    EXPECT_EQ(answer.error().message, "it is all poison");
    Fake full{0, {}, {}};
    const auto none = InParts().evaluate(batch_of(8), std::ref(full));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().reason, "OutOfMemory");
    EXPECT_TRUE(none.error().retry);
}

TEST(EngineThatComputesNothing, IsNotOneThatHasAnsweredBefore) {
    InParts in_parts;
    Fake well;
    ASSERT_TRUE(in_parts.evaluate(batch_of(1), std::ref(well)));
    Fake full{0, {}, {}};
    const auto answer = in_parts.evaluate(batch_of(8), std::ref(full));
    ASSERT_TRUE(answer);
    EXPECT_EQ(outcomes_of(*answer), std::vector<std::string>(8, no_room));
}

TEST(EngineThatComputesNothing, IsToldAlsoByBatchesOfOne) {
    InParts in_parts;
    Fake poison{1'000, {"0"}, {}};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(in_parts.evaluate(batch_of(1), std::ref(poison)));
    EXPECT_FALSE(in_parts.evaluate(batch_of(1), std::ref(poison)));
}

TEST(EngineThatFails, EndsTheBatch) {
    InParts in_parts;
    const auto answer = in_parts.evaluate(batch_of(4), [](const Part&) -> Computed {
        return Error{"DeviceFailed", "gone", true};
    });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().reason, "DeviceFailed");
}

TEST(HalvingWithTries, GivesTheWholeOnceMoreThenHalvesWhatIsLeft) {
    Halving halving(4, {2, 3});
    EXPECT_FALSE(halving.failed({2, 3}));
    EXPECT_THAT(halving.group(), ElementsAre(0, 1, 2, 3)) << "as a whole once more";
    EXPECT_FALSE(halving.failed({2, 3}));
    EXPECT_THAT(halving.group(), ElementsAre(2));
    EXPECT_FALSE(halving.failed({2}));
    EXPECT_FALSE(halving.failed({2}));
    EXPECT_EQ(halving.failed({2}), 2U) << "alone, for the third time";
    EXPECT_THAT(halving.group(), ElementsAre(3));
    halving.succeeded();
    EXPECT_TRUE(halving.done());
    EXPECT_EQ(halving.parts(), 3U);
}

TEST(HalvingWithTries, IsOnePartWhereTheWholeSucceedsTheSecondTime) {
    Halving halving(2, {2, 3});
    EXPECT_FALSE(halving.failed({0, 1}));
    halving.succeeded();
    EXPECT_TRUE(halving.done());
    EXPECT_EQ(halving.parts(), 1U);
}

struct Words {
    const char* name;
    const char* text;
    bool no_memory;
};

class WordsOfLibtorch : public testing::TestWithParam<Words> {};

TEST_P(WordsOfLibtorch, TellOfNoMemory) { EXPECT_EQ(tells_of_no_memory(GetParam().text), GetParam().no_memory); }

INSTANTIATE_TEST_SUITE_P(
    Table, WordsOfLibtorch,
    testing::Values(Words{"OnTheDevice", "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has", true},
                    Words{"OfTheDevicesRuntime", "CUDA error: out of memory", true},
                    Words{"OnTheMachine",
                          "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: "
                          "you tried to allocate 4096000000000 bytes. Error code 12 (Cannot allocate memory)",
                          true},
                    Words{"WithinTorchScript",
                          "The following operation failed in the TorchScript interpreter.\nRuntimeError: "
                          "DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.",
                          true},
                    Words{"OfALibrary", "cuBLAS error: CUBLAS_STATUS_ALLOC_FAILED when calling", true},
                    Words{"OfC", "std::bad_alloc", true},
                    Words{"OfShapes", "RuntimeError: mat1 and mat2 shapes cannot be multiplied (16x1536 and 864x10)",
                          false}),
    [](const auto& row) { return row.param.name; });

TEST(ThrownByLibtorch, IsOfSamplesUnlessTheDeviceIsLost) {
    const auto sample = thrown("RuntimeError: index out of range", "Do they belong together?");
    ASSERT_TRUE(std::holds_alternative<Setback>(sample));
    EXPECT_FALSE(std::get<Setback>(sample).out_of_memory);
    EXPECT_THAT(std::get<Setback>(sample).why, HasSubstr("index out of range"));
    EXPECT_EQ(std::get<Setback>(sample).of_all.message,
              "Do they belong together? libtorch says: RuntimeError: index out of range");
    const auto memory = thrown("CUDA out of memory. Tried to allocate", "");
    ASSERT_TRUE(std::holds_alternative<Setback>(memory));
    EXPECT_TRUE(std::get<Setback>(memory).out_of_memory);
    const auto lost = thrown("CUDA error: device-side assert triggered", "");
    ASSERT_TRUE(std::holds_alternative<Error>(lost));
    EXPECT_TRUE(std::get<Error>(lost).retry) << "another process may do";
}

}  // namespace
}  // namespace evaljob::test
