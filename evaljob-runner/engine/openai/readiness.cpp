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

std::string listed(const std::vector<std::string>& names, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most_names_told); ++i) text += (i > 0 ? ", " : "") + names[i];
    if (count > most_names_told) text += ", … (" + std::to_string(count) + " in all)";
    return text.empty() ? "none" : text;
}

tl::unexpected<Error> not_yet(const std::string& why) { return fail("ServerFailed", why, true); }

/// Many servers list nothing, or not to this key: then the first questions tell.
bool lists_nothing(int status) {
    return status == 403 || status == 404 || status == 405 || status == 410 || status == 501;
}

Result<Readiness> read_list(const Exchange& exchange, const Terms& terms) {
    const std::string place = terms.url + "/models";
    const auto models = read_models(exchange.body, terms.model);
    if (!models && models.error().retry) return Readiness{"", place + ": " + models.error().message};
    if (!models)
        return fail("BadInput", "spec.eval.model.url: " + place + ": " + models.error().message +
                                    "; is it an OpenAI-compatible server, and does the url end as it wants it "
                                    "(most: /v1)?");
    if (models->has_the_wanted) return Readiness{models->owner, ""};
    if (models->count == 0) return Readiness{models->owner, place + " lists no model"};
    if (!models->is_complete)
        return Readiness{models->owner, place + " has further pages, and the first has not the model"};
    return fail("BadInput", "spec.eval.model.name: the server at " + terms.url + " has no model " + terms.model +
                                "; it has: " + listed(models->names, models->count));
}

Result<Readiness> without_keys(Result<Readiness> ready, const Redaction& secrets) {
    if (!ready) {
        ready.error().message = secrets.cut(std::move(ready.error().message));
        return ready;
    }
    ready->owner = secrets.cut(std::move(ready->owner));
    ready->warning = secrets.cut(std::move(ready->warning));
    return ready;
}

}  // namespace

Result<Readiness> read_readiness(const Exchange& exchange, const Terms& terms) {
    if (exchange.kind == Exchange::Kind::NotTrusted) {
        Tries ignored;
        return tl::unexpected(std::get<Error>(judge(exchange, ignored, false, terms, 0, 0)));
    }
    if (exchange.kind != Exchange::Kind::Answered) return not_yet(exchange.why);
    if (auto wrong = wrong_key(exchange, terms)) return tl::unexpected(std::move(*wrong));
    if (exchange.status == 200) return without_keys(read_list(exchange, terms), terms.secrets);
    const std::string says = "it answered " + std::to_string(exchange.status) + ": " + refusal_text(exchange.body);
    if (lists_nothing(exchange.status)) return Readiness{"", terms.url + "/models: " + says};
    if (exchange.status >= 300 && exchange.status < 400) return tl::unexpected(refuses_all(exchange, terms));
    return not_yet(says);
}

asio::awaitable<Result<Readiness>> wait_until_ready(asio::io_context& io, HttpClient& client, Terms terms,
                                                    std::chrono::seconds patience,
                                                    std::function<void(std::string)> waits) {
    const auto until = Clock::now() + patience;
    auto pause = std::min(terms.first_pause, longest_pause_between);
    for (std::string said;;) {
        const Exchange exchange = co_await client.get("/models", std::min(until, Clock::now() + one_look));
        auto ready = read_readiness(exchange, terms);
        if (ready || !ready.error().retry) {
            waits("");
            if (ready && !ready->warning.empty())
                spdlog::warn("whether the server has the model {} is not known before it is asked: {}", terms.model,
                             ready->warning);
            co_return ready;
        }
        const std::string& why = ready.error().message;
        if (Clock::now() + pause >= until)
            co_return fail("NotReady", "spec.eval.model.url: " + terms.url + " was not ready within " +
                                           std::to_string(patience.count()) + " s: " + why +
                                           "; is it started (in the Pod: its container's log tells), and is the port "
                                           "right? spec.eval.inference.startupTimeoutSeconds is for longer");
        if (why != said) {
            spdlog::info("waiting for {}: {}", terms.url, why);
            waits(terms.url + ": " + why);
            said = why;
        }
        asio::steady_timer timer(io, pause);
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        pause = std::min(pause * 2, longest_pause_between);
    }
}

}  // namespace evaljob::openai
