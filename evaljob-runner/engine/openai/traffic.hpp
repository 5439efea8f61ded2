// Requests under way to one server: as many at a time as it bears, tried again as verdict.hpp says. Thread rule: the
// io_context's one thread, but for limit() and usage().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "evaljob-runner/engine/openai/chat_request.hpp"
#include "evaljob-runner/engine/openai/concurrency.hpp"
#include "evaljob-runner/engine/openai/http_client.hpp"
#include "evaljob-runner/engine/openai/verdict.hpp"

namespace evaljob::openai {

/// A sample that wants an answer. Every one gets it, or the server as a whole is broken.
struct Question {
    std::string sample;  // its id
    ChatRequest request;
    StopTexts stop;
    std::function<void(Prediction)> answered;
    bool is_of_ours = false;  // no sample's: it is asked to see whether the server takes any request
    Tries tries;
    int times = 0;          // asked
    std::size_t begin = 0;  // of the body's end, that the fit decides
    Fit fit = {};           // that it was sent with
};

class Traffic {
public:
    struct Outside {
        std::function<void(Error)> broken;       // once: the server is of no use; nothing is answered any more
        std::function<void(std::string)> waits;  // what is waited for; empty: nothing any more
        std::function<ChatRequest()> simple;     // a request that any server takes
    };
    /// `away`: how long the server may be of no use before it is broken.
    Traffic(boost::asio::io_context& io, HttpClient& client, Terms terms, std::chrono::seconds away,
            std::size_t ceiling, Outside outside);

    void ask(std::unique_ptr<Question> question);
    /// Fails one that cannot be asked.
    void turn_down(const Question& question, const std::string& why, const std::string& failure = "");

    // For any thread.
    std::size_t limit() const { return limit_; }
    EngineUsage usage() const { return {requests_, again_, prompt_tokens_, completion_tokens_}; }

private:
    using Clock = std::chrono::steady_clock;
    using QuestionPtr = std::unique_ptr<Question>;

    void pump();
    void send(std::deque<QuestionPtr>& from, bool alone);
    void start(boost::asio::awaitable<void> work);
    boost::asio::awaitable<void> converse(QuestionPtr question, bool alone);
    boost::asio::awaitable<void> put_back(QuestionPtr question, TryAgain again);
    void settle(QuestionPtr question, Verdict verdict);
    bool ask_otherwise(QuestionPtr& question, const Exchange& exchange, bool alone);
    void take_answer(const Question& question, ChatAnswer answer);
    void take_failure(const Question& question, const FailSample& failure);
    void take_refusal(QuestionPtr question, Refusal refusal);
    void works(const Question& question);
    void fail_refused();
    void look_at_refused();
    void is_of_use();
    void try_again(QuestionPtr question, const TryAgain& again);
    void give_up(Error error);

    boost::asio::io_context& io_;
    HttpClient& client_;
    Terms terms_;
    std::chrono::seconds away_;
    Outside outside_;
    boost::asio::steady_timer wake_;
    Concurrency concurrency_;
    std::atomic<std::size_t> limit_;
    std::deque<QuestionPtr> waiting_;
    std::deque<QuestionPtr> waiting_alone_;
    std::size_t open_ = 0;          // requests
    bool is_alone_ = false;         // the only one that is open is to stay so
    Clock::time_point not_before_;  // the server's wish
    std::optional<Clock::time_point> useless_since_;
    std::string last_why_;
    int failed_in_a_row_ = 0;
    std::uint64_t answered_ = 0;
    Fit fit_;
    std::vector<std::pair<QuestionPtr, Refusal>> refused_;  // since the last answer: of the sample, or of everything?
    int refused_in_a_row_ = 0;
    std::size_t pausing_ = 0;  // questions, before they are asked again
    std::uint64_t failures_ = 0;
    bool is_broken_ = false;
    std::atomic<std::uint64_t> requests_{0};
    std::atomic<std::uint64_t> again_{0};
    std::atomic<std::uint64_t> prompt_tokens_{0};
    std::atomic<std::uint64_t> completion_tokens_{0};
    std::minstd_rand random_;
};

}  // namespace evaljob::openai
