// Which row of a network computes which sample of a batch.
#include "evaljob-runner/engine/refilling.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto none = [](std::size_t) { return false; };
const auto all = [](std::size_t) { return true; };
auto those(std::vector<std::size_t> samples) {
    return [samples = std::move(samples)](std::size_t sample) {
        return std::find(samples.begin(), samples.end(), sample) != samples.end();
    };
}

TEST(Refilling, BeginsWithTheFirstSamples) {
    EXPECT_THAT(Refilling(5, 3).samples(), ElementsAre(0, 1, 2));
    EXPECT_THAT(Refilling(2, 3).samples(), ElementsAre(0, 1)) << "no more rows than samples";
    EXPECT_THAT(Refilling(0, 3).samples(), IsEmpty());
}

TEST(Refilling, GivesARowThatHasEndedTheNextSample) {
    Refilling rows(6, 3);
    EXPECT_THAT(rows.refill(none), IsEmpty());
    EXPECT_THAT(rows.refill(those({1})), ElementsAre(1));
    EXPECT_THAT(rows.samples(), ElementsAre(0, 3, 2));
    EXPECT_THAT(rows.refill(those({0, 1, 2})), ElementsAre(0, 2));
    EXPECT_THAT(rows.samples(), ElementsAre(4, 3, 5));
    EXPECT_THAT(rows.refill(all), IsEmpty()) << "none is left";
    EXPECT_THAT(rows.samples(), ElementsAre(4, 3, 5)) << "and what they held stays known";
}

TEST(Refilling, NeedsNoSampleBeyondTheRows) {
    Refilling rows(3, 3);
    EXPECT_THAT(rows.refill(all), IsEmpty());
}

TEST(Refilling, WaitsForAnEighthOfTheRows) {
    Refilling rows(40, 32);
    EXPECT_THAT(rows.refill(those({3, 4, 5})), IsEmpty());
    EXPECT_THAT(rows.refill(those({3, 4, 5, 6})), ElementsAre(3, 4, 5, 6));
    EXPECT_THAT(rows.refill(those({9})), IsEmpty()) << "four are left";
    EXPECT_THAT(rows.refill(those({9, 10})), IsEmpty());
    EXPECT_THAT(rows.refill(those({9, 10, 11, 12, 13})), ElementsAre(9, 10, 11, 12)) << "and no more than that";
}

TEST(Refilling, DoesNotWaitForMoreThanAreLeft) {
    Refilling rows(34, 32);
    EXPECT_THAT(rows.refill(those({7})), IsEmpty());
    EXPECT_THAT(rows.refill(those({7, 8})), ElementsAre(7, 8));
}

TEST(Refilling, ComputesEachSampleOnceWhateverTheirLengths) {
    for (std::size_t rows = 1; rows <= 20; ++rows) {
        std::vector<std::size_t> left(50);  // steps of each sample
        for (std::size_t i = 0; i < left.size(); ++i) left[i] = 1 + i * 7 % 11;
        std::vector<int> begun(left.size());
        Refilling refilling(left.size(), rows);
        for (const std::size_t sample : refilling.samples()) ++begun[sample];
        const auto ended = [&](std::size_t sample) { return left[sample] == 0; };
        const auto running = [&] {
            const auto& samples = refilling.samples();
            return !std::all_of(samples.begin(), samples.end(), ended);
        };
        while (running()) {
            for (const std::size_t sample : refilling.samples()) left[sample] -= left[sample] > 0 ? 1 : 0;
            for (const std::size_t row : refilling.refill(ended)) ++begun[refilling.samples()[row]];
        }
        EXPECT_EQ(std::accumulate(left.begin(), left.end(), std::size_t{0}), 0U) << rows;
        EXPECT_EQ(begun, std::vector<int>(left.size(), 1)) << rows;
    }
}

}  // namespace
}  // namespace evaljob::test
