// The HTTP client of engine OpenAI against a server that splits, delays, repeats, appends, sends 1xx, closes and keeps
// connections at random. No question ever has another's answer, and every failure is said.
//
// What a server sends after a request has gone out on a connection, nobody can tell from that request's answer; so this
// one says all that it says to one request in one go with the answer's end, or while nothing is asked.
#include <gtest/gtest.h>
#include <zlib.h>

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "evaljob-runner/engine/openai/http_client.hpp"
#include "tests/unit/engine/gzipped.hpp"
#include "tests/unit/engine/scripted_server.hpp"

namespace evaljob::openai {
namespace {

using test::Asked;
using test::ScriptedServer;
using test::Step;
namespace asio = boost::asio;

constexpr unsigned parts = 8;  // tests of their own, so that none takes long
constexpr unsigned seeds_of_a_part = 10'000 / parts;
constexpr const char* end_mark = "\n";  // where an answer is as long as its connection, HTTP does not tell its end

/// What the server does to each request.
class Moods {
public:
    explicit Moods(unsigned seed) : random_(seed), manners_(below(4)) {}

    std::vector<Step> answer(const Asked& asked) {
        const std::string question = asked.body;
        if (chance(20)) return {test::do_it(chance(2) ? Step::Kind::Close : Step::Kind::Reset)};  // without a word
        std::string bytes = interim();
        const bool is_good = !chance(8);
        const std::string body = (is_good ? "answer to " : "refusal of ") + question + padding() + end_mark;
        bool closes = false;
        const std::string whole = message(is_good ? 200 : refusal(), body, closes);
        if (chance(15)) {
            bytes += whole.substr(0, below(whole.size()));
            return in_parts(bytes, Step::Kind::Close);
        }
        bytes += whole;
        if (!closes && manners_ >= 2 && chance(3)) bytes += behind(whole, question);
        closes = closes || chance(8);
        return in_parts(bytes, closes ? std::optional(Step::Kind::Close) : std::nullopt);
    }

    /// On connections on which nothing is asked.
    std::string unasked() {
        if (manners_ < 2 || !chance(4)) return "";
        return chance(2) ? test::whole_answer(200, "answer to nothing") : "HTTP/1.1 408 Timeout\r\n\r\n";
    }
    bool closes_all() { return chance(6); }
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
    bool chance(std::size_t one_in) { return below(one_in) == 0; }

private:
    int refusal() {
        constexpr int all[] = {400, 401, 429, 500, 503, 204, 304, 307};
        return all[below(std::size(all))];
    }

    std::string padding() { return chance(10) ? std::string(below(200'000), '.') : ""; }

    std::string interim() {
        std::string bytes;
        constexpr const char* all[] = {"100 Continue", "102 Processing", "103 Early Hints"};
        for (std::size_t i = chance(2) ? below(9) : 0; i > 0; --i)
            bytes += std::string("HTTP/1.1 ") + all[below(3)] + "\r\n" + (chance(2) ? "Link: </x>\r\n" : "") + "\r\n";
        return bytes;
    }

    std::string message(int status, std::string body, bool& closes) {
        std::string head = "HTTP/1.1 " + std::to_string(status) + " X\r\n";
        if (status == 204 || status == 304) return head + (chance(2) ? "Content-Length: 7\r\n\r\n" : "\r\n");
        if (chance(4)) {
            body = test::gzipped(body, Z_BEST_SPEED);
            head += "Content-Encoding: gzip\r\n";
        }
        closes = chance(8);
        if (closes && chance(2)) return head + "\r\n" + body;  // as long as the connection
        if (closes) head += "Connection: close\r\n";
        if (chance(3)) return head + "Transfer-Encoding: chunked\r\n\r\n" + chunks(body);
        return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    std::string chunks(const std::string& body) {
        std::string bytes;
        for (std::size_t at = 0; at < body.size();) {
            const std::size_t size = std::min(1 + below(chance(4) ? 5 : 90'000), body.size() - at);
            char head[32];
            std::snprintf(head, sizeof head, "%zx%s\r\n", size, chance(4) ? ";x=y" : "");
            bytes += head + body.substr(at, size) + "\r\n";
            at += size;
        }
        return bytes + "0\r\n" + (chance(3) ? "Content-Encoding: gzip\r\nRetry-After: 5\r\n" : "") + "\r\n";
    }

    /// Bytes that belong to no answer.
    std::string behind(const std::string& whole, const std::string& question) {
        switch (below(5)) {
            case 0:
                return whole;
            case 1:
                return test::whole_answer(200, "answer to another than " + question);
            case 2:
                return "HTTP/1.1 103 Early Hints\r\n\r\n";
            case 3:
                return "\r\n";
            default:
                return std::string(1 + below(100), 'x');
        }
    }

    /// The end goes out in one piece with what stands behind it.
    std::vector<Step> in_parts(const std::string& bytes, std::optional<Step::Kind> then) {
        std::vector<Step> steps;
        std::size_t at = 0;
        const std::size_t last = bytes.size() > 400 ? bytes.size() - 400 : 0;
        while (at < last && steps.size() < 12 && chance(2)) {
            const std::size_t size = 1 + below(last - at);
            steps.push_back(test::say(bytes.substr(at, size)));
            for (std::size_t i = below(4); i > 0; --i) steps.push_back(test::do_it(Step::Kind::Turn));
            at += size;
        }
        steps.push_back(test::say(bytes.substr(at)));
        if (then) steps.push_back(test::do_it(*then));
        return steps;
    }

    std::mt19937 random_;
    std::size_t manners_;  // from 2 on it says what nobody asked for
};

struct Tally {
    int questions = 0;
    int answered = 0;
    int refused = 0;
    int lost = 0;
};

/// What came of one; empty when it is as it should be.
std::string wrong_with(const std::string& question, const Exchange& exchange, Tally& tally) {
    ++tally.questions;
    if (exchange.kind == Exchange::Kind::Answered && exchange.status == 200) {
        const std::string right = "answer to " + question;
        const bool is_whole = exchange.body.ends_with(end_mark);
        ++(is_whole ? tally.answered : tally.lost);
        const bool is_mine = is_whole ? exchange.body.compare(0, right.size(), right) == 0 &&
                                            exchange.body.find_first_not_of(".\n", right.size()) == std::string::npos
                                      : right.compare(0, exchange.body.size(), exchange.body, 0, right.size()) == 0;
        return is_mine ? "" : "it has another's answer: " + exchange.body.substr(0, 200);
    }
    if (exchange.kind == Exchange::Kind::Answered) {
        ++tally.refused;
        const bool is_mine = ("refusal of " + question).find(exchange.body) == 0 ||
                             exchange.body.find("refusal of " + question) == 0 ||
                             exchange.body.find("damaged") != std::string::npos;
        return is_mine ? "" : "it has another's refusal: " + exchange.body.substr(0, 200);
    }
    ++tally.lost;
    return exchange.why.empty() ? "nothing says why it failed" : "";
}

class World {
public:
    /// `questions` at a time, then others, over one client.
    std::string run(unsigned seed, Tally& tally) {
        moods_ = std::make_unique<Moods>(seed);
        if (seed % 500 == 0 || server_ == nullptr) listen();
        Destination destination;
        destination.url = {false, "127.0.0.1", server_->port(), "/v1"};
        HttpPace pace;
        pace.rest = {};
        client_ = std::make_unique<HttpClient>(io_, std::move(destination), pace);
        std::string wrong;
        for (int wave = 0; wave < 4 && wrong.empty(); ++wave) {
            wrong = ask(std::to_string(seed) + "." + std::to_string(wave), 1 + moods_->below(3), tally);
            if (const std::string bytes = moods_->unasked(); !bytes.empty()) server_->blurt(bytes);
            if (moods_->closes_all()) server_->close_all();
        }
        client_.reset();
        while (server_->open() > 0) io_.run_one();
        return wrong;
    }

    int connections() const {
        int sum = 0;
        for (const auto& server : servers_) sum += server->connections();
        return sum;
    }

private:
    /// Anew from time to time, for a port has only so many connections a minute.
    void listen() {
        if (server_) server_->stop_listening();
        servers_.push_back(
            std::make_unique<ScriptedServer>(io_, [this](const Asked& asked) { return moods_->answer(asked); }));
        server_ = servers_.back().get();
    }

    std::string ask(const std::string& name, std::size_t count, Tally& tally) {
        struct Question {
            std::string text;
            std::optional<Exchange> exchange;
            std::string thrown;
        };
        std::vector<Question> questions(count);
        std::size_t open = count;
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(10);
        for (std::size_t i = 0; i < count; ++i) {
            Question& question = questions[i];
            question.text = "question " + name + "." + std::to_string(i) + "!";
            asio::co_spawn(io_, client_->post("/chat/completions", question.text, until),
                           [&](const std::exception_ptr& thrown, Exchange exchange) {
                               if (!thrown) question.exchange = std::move(exchange);
                               --open;
                           });
        }
        while (open > 0) io_.run_one();
        for (const Question& question : questions) {
            if (!question.exchange) return question.text + ": an exception";
            const std::string wrong = wrong_with(question.text, *question.exchange, tally);
            if (!wrong.empty()) return question.text + ": " + wrong;
        }
        return "";
    }

    asio::io_context io_{1};
    std::unique_ptr<Moods> moods_;
    std::vector<std::unique_ptr<ScriptedServer>> servers_;  // to the end, for what is under way on them
    ScriptedServer* server_ = nullptr;
    std::unique_ptr<HttpClient> client_;
};

class Conversation : public testing::TestWithParam<unsigned> {};

TEST_P(Conversation, NoQuestionHasAnothersAnswerAndEveryFailureIsSaid) {
    World world;
    Tally tally;
    const unsigned first = GetParam() * seeds_of_a_part;
    for (unsigned seed = first; seed < first + seeds_of_a_part; ++seed) {
        const std::string wrong = world.run(seed, tally);
        ASSERT_EQ(wrong, "") << "seed " << seed;
    }
    // It is no test of a server that is merely broken, nor of one that is merely good.
    EXPECT_GT(tally.answered, tally.questions / 2);
    EXPECT_GT(tally.refused, tally.questions / 50);
    EXPECT_GT(tally.lost, tally.questions / 50);
    EXPECT_LT(world.connections(), tally.questions) << "connections are used again";
}

INSTANTIATE_TEST_SUITE_P(Part, Conversation, testing::Range(0U, parts));

}  // namespace
}  // namespace evaljob::openai
