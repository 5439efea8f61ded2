#include "evaljob-runner/engine/openai/readiness.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace evaljob::openai {

namespace asio = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds one_look{30};
constexpr std::chrono::milliseconds longest_pause_between{2'000};
constexpr std::size_t most_names_told = 10;

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most_names_told); ++i) text += (i > 0 ? ", " : "") + names[i];
    if (names.size() > most_names_told) text += ", … (" + std::to_string(names.size()) + " in all)";
    return text.empty() ? "none" : text;
}

tl::unexpected<Error> not_yet(const std::string& why) { return fail("ServerFailed", why, true); }

}  // namespace

Result<std::string> read_readiness(const Exchange& exchange, const Terms& terms) {
    if (exchange.kind == Exchange::Kind::NotTrusted) {
        Tries ignored;
        return tl::unexpected(std::get<Error>(judge(exchange, ignored, false, terms, 0, 0)));
    }
    if (exchange.kind != Exchange::Kind::Answered) return not_yet(exchange.why);
    if (auto wrong = wrong_server(exchange, terms)) return tl::unexpected(std::move(*wrong));
    if (exchange.status != 200)
        return not_yet("it answered " + std::to_string(exchange.status) + ": " + refusal_text(exchange.body));
    const auto models = read_models(exchange.body);
    if (!models)
        return fail("BadInput", "spec.eval.model.url: " + terms.url + "/models: " + models.error().message +
                                    "; is it an OpenAI-compatible server, and does the url end as it wants it "
                                    "(most: /v1)?");
    if (std::find(models->names.begin(), models->names.end(), terms.model) == models->names.end())
        return fail("BadInput", "spec.eval.model.name: the server at " + terms.url + " has no model " + terms.model +
                                    "; it has: " + listed(models->names));
    return models->owner;
}

asio::awaitable<Result<std::string>> wait_until_ready(asio::io_context& io, HttpClient& client, Terms terms,
                                                      std::chrono::seconds patience) {
    const auto until = Clock::now() + patience;
    auto pause = std::min(terms.first_pause, longest_pause_between);
    for (int looks = 0;; ++looks) {
        const Exchange exchange = co_await client.get("/models", std::min(until, Clock::now() + one_look));
        auto ready = read_readiness(exchange, terms);
        if (ready || !ready.error().retry) co_return ready;
        if (Clock::now() + pause >= until)
            co_return fail("ServerFailed",
                           "spec.eval.model.url: " + terms.url + " was not ready within " +
                               std::to_string(patience.count()) + " s: " + ready.error().message +
                               "; is it started (in the Pod: its container's log tells), and is the port right? "
                               "spec.eval.inference.startupTimeoutSeconds is for longer",
                           true);
        if (looks == 0) spdlog::info("waiting for {}: {}", terms.url, ready.error().message);
        asio::steady_timer timer(io, pause);
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        pause = std::min(pause * 2, longest_pause_between);
    }
}

}  // namespace evaljob::openai
