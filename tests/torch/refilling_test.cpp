// Texts of a batch that are computed a few at a time, with a network that counts how often it is asked.
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "evaljob-runner/engine/generating_engine.hpp"

namespace evaljob {
namespace {

enum : Token { Pad, End, Say, Poison };

struct Calls {
    int prefills = 0;
    int steps = 0;
    int refills = 0;
    std::size_t most_rows = 0;
};

/// Says "x" as often as its prompt does. Which row's turn it is, it knows from its cache alone.
class Parrot : public TextNetwork {
public:
    explicit Parrot(Calls& calls, bool refills = true) : calls_(calls), refills_(refills) {}

    bool prepares() const override { return false; }
    at::Tensor prepare(const at::Tensor& image) override { return image; }
    bool refills() const override { return refills_; }

    Result<at::Tensor> prefill(const at::Tensor& tokens, const at::Tensor& lengths, const at::Tensor&) override {
        ++calls_.prefills;
        left_.assign(static_cast<std::size_t>(tokens.size(0)), 0);
        calls_.most_rows = std::max(calls_.most_rows, left_.size());
        std::vector<std::size_t> rows(left_.size());
        std::iota(rows.begin(), rows.end(), std::size_t{0});
        return read(tokens, lengths, rows);
    }

    Result<at::Tensor> refill(const at::Tensor& tokens, const at::Tensor& lengths, const at::Tensor&,
                              const at::Tensor& rows) override {
        ++calls_.refills;
        const auto* numbers = rows.const_data_ptr<std::int64_t>();
        return read(tokens, lengths, {numbers, numbers + rows.size(0)});
    }

    Result<at::Tensor> step(const at::Tensor& tokens) override {
        ++calls_.steps;
        if (tokens.size(0) != static_cast<std::int64_t>(left_.size())) throw std::runtime_error("other rows");
        std::vector<std::size_t> rows(left_.size());
        std::iota(rows.begin(), rows.end(), std::size_t{0});
        return said(rows);
    }

private:
    at::Tensor read(const at::Tensor& tokens, const at::Tensor& lengths, const std::vector<std::size_t>& rows) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto row = static_cast<std::int64_t>(i);
            if (tokens[row][0].item<std::int64_t>() == Poison) throw std::runtime_error("RuntimeError: poisoned");
            left_.at(rows[i]) = lengths[row].item<std::int64_t>();
        }
        return said(rows);
    }

    at::Tensor said(const std::vector<std::size_t>& rows) {
        at::Tensor scores = at::full({static_cast<std::int64_t>(rows.size()), 4}, -9.0);
        for (std::size_t i = 0; i < rows.size(); ++i)
            scores[static_cast<std::int64_t>(i)][left_.at(rows[i])-- > 0 ? Say : End] = 9.0;
        return scores;
    }

    Calls& calls_;
    bool refills_;
    std::vector<std::int64_t> left_;
};

Result<std::unique_ptr<Engine>> engine(Calls& calls, std::optional<std::int32_t> rows, bool refills = true) {
    auto model = described_model(R"({"format": 1, "tokens": ["<pad>", "<end>", "x", "!"], "pad": 0, "stop": [1],
                                     "maxPromptTokens": 99, "maxNewTokens": 50})");
    if (!model) return tl::unexpected(model.error());
    return generating_engine(std::make_unique<Parrot>(calls, refills), std::move(*model), "cpu", {rows, ""});
}

class Refilled : public testing::Test {
protected:
    Refilled() {
        dataset_.name = "parrots";
        dataset_.task.type = TaskType::Generation;
        for (std::size_t i = 0; i < 40; ++i) says_.emplace_back(1 + i * 17 % 23, 'x');  // of 1 to 23 tokens
    }

    std::vector<Prediction> predictions(Engine& engine, std::size_t first, std::size_t count) {
        EngineBatch batch{7, &dataset_, {}};
        for (std::size_t i = first; i < first + count; ++i) {
            Request request;
            request.sample.input = Json::object({{"question", says_[i]}}).dump();
            batch.requests.push_back(std::move(request));
        }
        engine.begin(std::move(batch));
        auto answer = engine.next();
        if (!answer) throw std::runtime_error(answer.error().message);
        parts_ = answer->parts;
        return std::move(answer->predictions);
    }

    Dataset dataset_;
    std::vector<std::string> says_;
    std::uint32_t parts_ = 0;
};

TEST_F(Refilled, RowsTakeFewerStepsToTheSameTexts) {
    Calls planned;
    auto by_eights = engine(planned, std::nullopt);
    ASSERT_TRUE(by_eights) << by_eights.error().message;
    for (std::size_t first = 0; first < says_.size(); first += 8) predictions(**by_eights, first, 8);

    Calls refilled;
    auto of_all = engine(refilled, 8);
    ASSERT_TRUE(of_all) << of_all.error().message;
    const auto answers = predictions(**of_all, 0, says_.size());
    for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i].prediction, Json(says_[i])) << i;
    EXPECT_EQ(parts_, 1U) << "it is computed as it was planned";
    EXPECT_EQ(refilled.prefills, 1);
    EXPECT_EQ(refilled.most_rows, 8U);
    EXPECT_GT(refilled.refills, 0);
    // A text takes as many passes as it has tokens, its end included, of which reading its prompt is the first.
    std::size_t tokens = 0;
    for (const std::string& text : says_) tokens += text.size();
    EXPECT_GE(refilled.steps, static_cast<int>(tokens / 8));
    EXPECT_LT(refilled.steps, planned.steps * 4 / 5) << planned.steps;
    EXPECT_EQ((*of_all)->usage().prompt_tokens, tokens);
    EXPECT_EQ((*of_all)->usage().completion_tokens, tokens + says_.size()) << "the ends are tokens too";
}

TEST_F(Refilled, RowsOfASampleThatFailsCostNoOtherOne) {
    says_[20] = "!";
    Calls calls;
    auto of_all = engine(calls, 8);
    ASSERT_TRUE(of_all) << of_all.error().message;
    const auto answers = predictions(**of_all, 0, says_.size());
    for (std::size_t i = 0; i < answers.size(); ++i)
        EXPECT_EQ(answers[i].prediction, i == 20 ? Json() : Json(says_[i])) << i;
    EXPECT_NE(answers[20].error.find("poisoned"), std::string::npos) << answers[20].error;
    EXPECT_GT(parts_, 1U) << "what shared its rows is not what was planned";
}

TEST_F(Refilled, RowsAreSaidNotToBeTheModels) {
    Calls calls;
    const auto without = engine(calls, 8, false);
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error().reason, "BadInput");
    EXPECT_EQ(without.error().message,
              "has no method refill, which spec.eval.inference.refillRows needs; export the model with one "
              "(docs/runner.md), or leave refillRows out");
    EXPECT_TRUE(engine(calls, std::nullopt, false)) << "without rows it is not needed";
}

}  // namespace
}  // namespace evaljob
