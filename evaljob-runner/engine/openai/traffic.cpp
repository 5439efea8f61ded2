#include "evaljob-runner/engine/openai/traffic.hpp"

#include <algorithm>
#include <exception>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace evaljob::openai {

namespace asio = boost::asio;

namespace {

// So many samples failed one after the other, none for a reason of its own: it is the server.
constexpr int hopeless_in_a_row = 8;
// So many refusals without an answer between them: it is not the samples.
constexpr int most_refused_in_a_row = 50;
// So many of a server that has answered before are the samples' own.
constexpr int few_refused = 3;
constexpr std::uint64_t most_told = 10;  // failed samples whose reason stands in the log

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string reason_of(const Exchange& exchange) {
    if (exchange.kind != Exchange::Kind::Answered) return exchange.why;
    return "it answered " + std::to_string(exchange.status) + ": " + refusal_text(exchange.body);
}

}  // namespace

Traffic::Traffic(asio::io_context& io, HttpClient& client, Terms terms, std::chrono::seconds away, std::size_t ceiling,
                 Outside outside)
    : io_(io),
      client_(client),
      terms_(std::move(terms)),
      away_(away),
      outside_(std::move(outside)),
      wake_(io),
      concurrency_(ceiling),
      limit_(concurrency_.limit()),
      fit_(terms_.fit.first),
      random_(std::random_device{}()) {}

void Traffic::ask(std::unique_ptr<Question> question) {
    question->begin = question->request.body.size();
    waiting_.push_back(std::move(question));
    pump();
}

void Traffic::turn_down(const Question& question, const std::string& why, const std::string& failure) {
    if (is_broken_) return;
    if (++failures_ <= most_told)
        spdlog::warn("sample {} fails: {}{}", question.sample, why,
                     failures_ == most_told ? "; further ones are not told here" : "");
    Prediction prediction;
    prediction.error = why;
    if (!failure.empty()) prediction.detail["failure"] = failure;
    question.answered(std::move(prediction));
}

/// Sends what may be sent now.
void Traffic::pump() {
    if (is_broken_ || is_alone_) return;
    if (Clock::now() < not_before_) {
        wake_.expires_at(not_before_);
        wake_.async_wait([this](const boost::system::error_code& error) {
            if (!error) pump();
        });
        return;
    }
    if (!waiting_alone_.empty()) {  // when nobody else's answer can be lost
        if (open_ == 0) send(waiting_alone_, true);
        return;
    }
    while (open_ < concurrency_.limit() && !waiting_.empty()) send(waiting_, false);
}

void Traffic::send(std::deque<QuestionPtr>& from, bool alone) {
    ++open_;  // here, for coroutines begin later
    is_alone_ = alone;
    QuestionPtr question = std::move(from.front());
    from.pop_front();
    start(converse(std::move(question), alone));
}

void Traffic::start(asio::awaitable<void> work) {
    asio::co_spawn(io_, std::move(work), [this](const std::exception_ptr& thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
            give_up({"Unexpected", std::string("the request to the server failed: ") + error.what(), true});
        }
    });
}

asio::awaitable<void> Traffic::converse(QuestionPtr question, bool alone) {
    ++requests_;
    if (question->times++ > 0) ++again_;
    const std::uint64_t round = concurrency_.round();
    question->fit = fit_;
    std::string& body = question->request.body;
    body.resize(question->begin);
    body += fitted_end(fit_, question->request.max_new_tokens, question->request.seed);
    const Exchange exchange = co_await client_.post("/chat/completions", body, Clock::now() + terms_.sample_timeout);
    --open_;
    is_alone_ = false;
    if (ask_otherwise(question, exchange, alone)) co_return pump();
    const double chance = std::uniform_real_distribution<>(0, 1)(random_);
    Verdict verdict = judge(exchange, question->tries, alone, terms_, chance, unix_seconds());
    if (const auto* again = std::get_if<TryAgain>(&verdict)) {
        last_why_ = terms_.secrets.cut(reason_of(exchange));
        if (again->overloaded) concurrency_.refused(round);
    } else if (std::holds_alternative<ChatAnswer>(verdict)) {
        concurrency_.answered();
    }
    limit_ = concurrency_.limit();
    settle(std::move(question), std::move(verdict));
    pump();
    look_at_refused();
}

/// True when the server refuses a member of the request that it can be asked without: at once, and it counts for
/// nothing. All that were sent before are refused for the same.
bool Traffic::ask_otherwise(QuestionPtr& question, const Exchange& exchange, bool alone) {
    if (is_broken_ || exchange.kind != Exchange::Kind::Answered) return false;
    const auto fit = refit(question->fit, terms_.fit, exchange.status, exchange.body);
    if (!fit) return false;
    const Fit learned = joined(fit_, *fit);
    if (learned != fit_)
        spdlog::info("{} is asked {}{}{} from now on: it answered {}: {}", terms_.url,
                     learned.completion_tokens ? "with max_completion_tokens for max_tokens" : "",
                     learned.completion_tokens && !learned.seed ? " and " : "", learned.seed ? "" : "without a seed",
                     exchange.status, refusal_text(exchange.body));
    fit_ = learned;
    (alone ? waiting_alone_ : waiting_).push_front(std::move(question));
    return true;
}

void Traffic::settle(QuestionPtr question, Verdict verdict) {
    if (is_broken_) return;
    if (auto* answer = std::get_if<ChatAnswer>(&verdict)) return take_answer(*question, std::move(*answer));
    if (const auto* failure = std::get_if<FailSample>(&verdict)) return take_failure(*question, *failure);
    if (const auto* again = std::get_if<TryAgain>(&verdict)) return try_again(std::move(question), *again);
    if (auto* refusal = std::get_if<Refusal>(&verdict)) return take_refusal(std::move(question), std::move(*refusal));
    Error error = std::get<Error>(std::move(verdict));
    if (answered_ > 0)
        error.message += "; it had answered " + std::to_string(answered_) +
                         " questions before. What was not answered is asked when the job runs again";
    give_up(std::move(error));
}

void Traffic::take_answer(const Question& question, ChatAnswer answer) {
    works(question);
    prompt_tokens_ += answer.prompt_tokens;
    completion_tokens_ += answer.completion_tokens;
    cut_at_stop(answer.prediction, question.stop);
    question.answered(std::move(answer.prediction));
}

/// The server has answered it.
void Traffic::works(const Question& question) {
    is_of_use();
    failed_in_a_row_ = 0;
    fail_refused();
    if (question.is_of_ours) return;
    ++answered_;
    refused_in_a_row_ = 0;
}

void Traffic::is_of_use() {
    if (useless_since_) outside_.waits("");
    useless_since_.reset();
}

void Traffic::take_failure(const Question& question, const FailSample& failure) {
    if (failure.answered) {
        works(question);
    } else if (++failed_in_a_row_ >= hopeless_in_a_row) {
        return give_up(
            {"ServerFailed",
             "spec.eval.model.url: " + terms_.url + ": " + std::to_string(failed_in_a_row_) +
                 " samples failed one after the other without an answer between them; the last one: " + failure.why,
             true});
    }
    turn_down(question, failure.why, failure.failure);
}

void Traffic::take_refusal(QuestionPtr question, Refusal refusal) {
    is_of_use();
    if (question->is_of_ours) return give_up(refused_.empty() ? refusal.of_all : refused_.front().second.of_all);
    question->request = {};  // it may have images, and is not asked again
    refused_.emplace_back(std::move(question), std::move(refusal));
    if (++refused_in_a_row_ < most_refused_in_a_row) return;
    Error error = refused_.back().second.of_all;
    error.message += "; it has refused " + std::to_string(refused_in_a_row_) +
                     " questions in a row. What was not answered is asked when the job runs again";
    give_up(std::move(error));
}

/// The server works: they were refused for what they are.
void Traffic::fail_refused() {
    for (const auto& [question, refusal] : std::exchange(refused_, {})) turn_down(*question, refusal.why, "Refused");
}

/// When nothing else is asked whose answer could tell: a question of our own does.
void Traffic::look_at_refused() {
    if (is_broken_ || refused_.empty() || open_ + pausing_ > 0 || !waiting_.empty() || !waiting_alone_.empty()) return;
    if (answered_ > 0 && refused_in_a_row_ <= few_refused) return fail_refused();
    auto question = std::make_unique<Question>();
    question->sample = "(a question of EvalJob's own)";
    question->request = outside_.simple();
    question->is_of_ours = true;
    question->answered = [](const Prediction&) {};
    ask(std::move(question));
}

void Traffic::try_again(QuestionPtr question, const TryAgain& again) {
    const auto now = Clock::now();
    if (again.no_service && !useless_since_) {
        spdlog::warn("{} is of no use for now and is waited for: {}", terms_.url, last_why_);
        useless_since_ = now;
        outside_.waits(terms_.url + ", which is of no use for now: " + last_why_);
    }
    if (again.no_service && now - *useless_since_ > away_)
        return give_up({"ServerFailed",
                        "spec.eval.model.url: " + terms_.url + " has answered nothing for " +
                            std::to_string(away_.count()) +
                            " s (spec.eval.inference.startupTimeoutSeconds); the last word: " + last_why_,
                        true});
    if (again.for_all) not_before_ = std::max(not_before_, now + again.after);
    ++pausing_;
    start(put_back(std::move(question), again));
}

asio::awaitable<void> Traffic::put_back(QuestionPtr question, TryAgain again) {
    asio::steady_timer timer(io_, again.after);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    --pausing_;
    auto& queue = again.alone ? waiting_alone_ : waiting_;
    queue.push_front(std::move(question));
    pump();
}

void Traffic::give_up(Error error) {
    if (is_broken_) return;
    is_broken_ = true;
    wake_.cancel();
    outside_.broken(std::move(error));
}

}  // namespace evaljob::openai
