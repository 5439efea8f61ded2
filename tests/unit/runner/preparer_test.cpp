// The next batch is prepared while one is computed. Nothing here is timed: a deadline is met only by a fault.
#include "evaljob-runner/rank/preparer.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <utility>

#include "evaljob-runner/manifest/build_manifest.hpp"
#include "evaljob-runner/rank/evaluator.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;

constexpr std::chrono::seconds deadline{60};

Lease lease(std::uint64_t counter, std::uint64_t batch) { return {{1, counter}, batch}; }

EngineBatch numbered(std::uint64_t batch) {
    EngineBatch prepared;
    prepared.ticket = batch;
    return prepared;
}

TEST(Preparer, PreparesWhatIsAnnouncedBeforeAnyoneTakesIt) {
    std::promise<void> prepared;
    Preparer preparer([&](std::uint64_t batch) -> Result<EngineBatch> {
        if (batch == 8) prepared.set_value();
        return numbered(batch);
    });
    preparer.announce(lease(0, 7));
    EXPECT_EQ(preparer.take(lease(0, 7))->ticket, 7U);
    preparer.announce(lease(1, 8));
    ASSERT_EQ(prepared.get_future().wait_for(deadline), std::future_status::ready) << "while 7 is computed";
    EXPECT_EQ(preparer.take(lease(1, 8))->ticket, 8U);
}

TEST(Preparer, PreparesInTheOrderOfTheAnnouncementsWhoeverTakesThem) {
    std::vector<std::uint64_t> order;  // the preparer's thread alone writes it, before what take() waits for
    Preparer preparer([&](std::uint64_t batch) -> Result<EngineBatch> {
        order.push_back(batch);
        return numbered(batch);
    });
    for (std::uint64_t i = 0; i < 3; ++i) preparer.announce(lease(i, 10 + i));
    for (const std::uint64_t i : {2, 0, 1}) EXPECT_EQ(preparer.take(lease(i, 10 + i))->ticket, 10 + i);
    EXPECT_THAT(order, ElementsAre(10, 11, 12));
}

TEST(Preparer, PreparesOnceWhatIsAnnouncedTwiceOrNotAtAll) {
    std::atomic<int> calls = 0;
    Preparer preparer([&](std::uint64_t batch) -> Result<EngineBatch> {
        ++calls;
        return numbered(batch);
    });
    preparer.announce(lease(0, 7));
    preparer.announce(lease(0, 7));
    EXPECT_TRUE(preparer.take(lease(0, 7)));
    EXPECT_EQ(calls.load(), 1);
    EXPECT_TRUE(preparer.take(lease(1, 8)));
    EXPECT_EQ(calls.load(), 2);
}

TEST(Preparer, GivesAnErrorToWhoTakesThatBatch) {
    Preparer preparer([](std::uint64_t batch) -> Result<EngineBatch> {
        if (batch == 7) return fail("BadInput", "lines.jsonl: cannot be read any more");
        return numbered(batch);
    });
    preparer.announce(lease(0, 7));
    preparer.announce(lease(1, 8));
    EXPECT_TRUE(preparer.take(lease(1, 8)));
    const auto failed = preparer.take(lease(0, 7));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "lines.jsonl: cannot be read any more");
}

TEST(Preparer, EndsWithBatchesThatNobodyTook) {
    std::promise<void> entered;
    std::promise<void> released;
    std::future<void> release = released.get_future();
    Preparer preparer([&](std::uint64_t batch) -> Result<EngineBatch> {
        if (batch == 0) {
            entered.set_value();
            release.wait_for(deadline);
        }
        return numbered(batch);
    });
    for (std::uint64_t i = 0; i < 4; ++i) preparer.announce(lease(i, i));
    ASSERT_EQ(entered.get_future().wait_for(deadline), std::future_status::ready);
    released.set_value();
}

/// Computes the first batch only once it has been asked to prepare a sample of the second.
class Overlapping : public Engine {
public:
    void prepare(EngineBatch& batch) override {
        if (batch.requests.front().sample.id == "3") second_.set_value();
    }
    void begin(EngineBatch batch) override { batch_ = std::move(batch); }
    Result<EngineAnswer> next() override {
        if (batch_.ticket == 0 && second_.get_future().wait_for(deadline) != std::future_status::ready)
            return fail("Late", "nobody prepared the second batch while the first was computed");
        EngineAnswer answer;
        answer.ticket = batch_.ticket;
        for (const Request& request : batch_.requests)
            answer.predictions.push_back({Json(request.sample.input), Json::object(), ""});
        return answer;
    }
    std::string library() const override { return "none"; }
    std::string device() const override { return "none"; }

private:
    std::promise<void> second_;
    EngineBatch batch_;
};

TEST(Evaluator, HasTheNextBatchPreparedWhileTheEngineComputes) {
    const TemporaryFolder folder;
    folder.write("lines.jsonl",
                 "{\"q\":1,\"target\":\"\"}\n{\"q\":2,\"target\":\"\"}\n{\"q\":3,\"target\":\"\"}\n"
                 "{\"q\":4,\"target\":\"\"}\n");
    Eval eval;
    eval.model.format = ModelFormat::Command;
    eval.model.command = {"program"};
    eval.datasets.emplace_back();
    eval.datasets[0].name = "lines";
    eval.datasets[0].format = DatasetFormat::JSONL;
    eval.datasets[0].path = "lines.jsonl";
    eval.datasets[0].task.type = TaskType::Generation;
    eval.inference.max_batch_size = 2;
    auto manifest = build_manifest(eval, folder.path(), "cpu");
    ASSERT_TRUE(manifest) << manifest.error().message;
    auto batches = BatchReader::open(eval, folder.path(), std::move(*manifest));
    ASSERT_TRUE(batches) << batches.error().message;
    Evaluator evaluator(std::move(*batches), std::make_unique<Overlapping>());
    evaluator.announce(lease(0, 0));
    evaluator.announce(lease(1, 1));
    std::vector<std::string> records;
    for (std::uint64_t batch = 0; batch < 2; ++batch) {
        ASSERT_TRUE(evaluator.begin(lease(batch, batch)));
        const auto evaluated = evaluator.next();
        ASSERT_TRUE(evaluated) << evaluated.error().message;
        EXPECT_EQ(evaluated->lease.batch, batch);
        for (const Record& record : evaluated->records)
            records.push_back(record.id + " " + record.prediction.value().get<std::string>());
    }
    EXPECT_THAT(records, ElementsAre("1 {\"q\":1}", "2 {\"q\":2}", "3 {\"q\":3}", "4 {\"q\":4}"));
}

/// Two samples, of which the second lacks its image.
class OneLacksItsImage : public BatchSource {
public:
    OneLacksItsImage() {
        for (const char* id : {"whole", "lacking"}) manifest_.samples.push_back({0, id, "", "", ""});
        manifest_.batches = plan_batches(manifest_.samples, 1, 2);
    }
    const Manifest& manifest() const override { return manifest_; }
    Result<EngineBatch> read(std::uint64_t /*batch*/) override {
        EngineBatch batch;
        batch.requests.resize(2);
        batch.requests[1].sample.image_error = "image_path a.png: No such file or directory";
        return batch;
    }

private:
    Manifest manifest_;
};

/// Answers whatever it is asked, as a program does that looks at no image.
class Answering : public Engine {
public:
    void begin(EngineBatch batch) override { batch_ = std::move(batch); }
    Result<EngineAnswer> next() override {
        EngineAnswer answer;
        answer.ticket = batch_.ticket;
        answer.predictions.assign(batch_.requests.size(), {Json("yes"), Json::object(), ""});
        return answer;
    }
    std::string library() const override { return "none"; }
    std::string device() const override { return "none"; }

private:
    EngineBatch batch_;
};

TEST(Evaluator, FailsASampleThatLacksItsImageWhateverTheEngineSays) {
    Evaluator evaluator(std::make_unique<OneLacksItsImage>(), std::make_unique<Answering>());
    ASSERT_TRUE(evaluator.begin(lease(0, 0)));
    const auto evaluated = evaluator.next();
    ASSERT_TRUE(evaluated) << evaluated.error().message;
    EXPECT_EQ(evaluated->records.at(0).prediction.value(), "yes");
    EXPECT_FALSE(evaluated->records.at(0).failed());
    EXPECT_EQ(evaluated->records.at(1).error, "image_path a.png: No such file or directory");
    EXPECT_TRUE(evaluated->records.at(1).failed());
}

}  // namespace
}  // namespace evaljob::test
