#include "evaljob-runner/engine/openai/verdict.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "api/json_read.hpp"
#include "api/json_text.hpp"
#include "evaljob-runner/engine/engine_text.hpp"

namespace evaljob::openai {

namespace {

using std::chrono::milliseconds;

/// Twice as long with each try, and anything from half of it on.
milliseconds pause_before(int tries, const Terms& terms, double chance) {
    const auto whole = std::min<std::int64_t>(terms.first_pause.count() << std::clamp(tries - 1, 0, 20),
                                              milliseconds(longest_pause).count());
    return milliseconds(static_cast<std::int64_t>(static_cast<double>(whole) * (0.5 + chance / 2)));
}

std::string times(int count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

Verdict failed(const std::string& why, Tries& tries, const Terms& terms, double chance, bool overloaded = false) {
    if (++tries.failed >= most_failed) return FailSample{"the server failed on it " + times(tries.failed) + ": " + why};
    return TryAgain{pause_before(tries.failed, terms, chance), overloaded};
}

Verdict refused(const Exchange& exchange, const std::string& why, Tries& tries, const Terms& terms, double chance,
                std::int64_t now) {
    if (++tries.refused >= most_refused)
        return FailSample{"the server refused it " + times(tries.refused) + ": " + why};
    const auto wish = retry_after(exchange.retry_after, now);
    if (!wish) return TryAgain{pause_before(tries.refused, terms, chance), true, false, false, true};
    // Never before it asked for; spread over a little, for all whom it told the same.
    const auto spread = static_cast<std::int64_t>(chance * static_cast<double>(terms.first_pause.count()));
    return TryAgain{std::min(*wish, longest_wish) + milliseconds(spread), true, true, false, true};
}

Verdict lost(const std::string& why, Tries& tries, bool alone, const Terms& terms, double chance) {
    int& count = alone ? tries.lost_alone : tries.lost;
    if (++count >= most_lost_alone && alone)
        return FailSample{"the server closed the connection on it " + times(tries.lost_alone) + ", alone: " + why};
    const bool next_alone = tries.lost >= lost_before_alone;
    return TryAgain{pause_before(count, terms, chance), false, false, next_alone};
}

/// Azure and others refuse a prompt that their filter does not let through.
bool is_filtered(const Exchange& exchange) {
    if (exchange.status != 400 && exchange.status != 403) return false;
    const Json error = parse_json(exchange.body);
    return text_of(member(error, "error"), "code") == "content_filter";
}

Verdict filtered(const std::string& why) {
    return FailSample{"the server's content filter has ended it: " + why, "Filtered", true};
}

Verdict take(const Exchange& exchange, Tries& tries, const Terms& terms, double chance) {
    auto answer = read_chat_answer(exchange.body);
    if (!answer)
        return failed("its answer is none: " + terms.secrets.cut(answer.error().message), tries, terms, chance);
    if (answer->filtered && terms.filtered_fails) return filtered("finish_reason content_filter");
    return std::move(*answer);
}

Verdict answered(const Exchange& exchange, Tries& tries, const Terms& terms, double chance, std::int64_t now) {
    if (exchange.status == 200) return take(exchange, tries, terms, chance);
    if (auto wrong = wrong_key(exchange, terms)) return std::move(*wrong);
    const std::string why = "it answered " + std::to_string(exchange.status) + ": " + refusal_text(exchange.body);
    switch (exchange.status) {
        case 429:
        case 502:
        case 503:
        case 504:
        case 529:  // "overloaded" of some
            return refused(exchange, why, tries, terms, chance, now);
        case 408:
        case 409:
        case 425:
            return failed(why, tries, terms, chance);
        default:
            if (exchange.status < 300 || exchange.status >= 500) return failed(why, tries, terms, chance);
            if (is_filtered(exchange)) return filtered(why);
            return Refusal{"the server refuses it: " + why, refuses_all(exchange, terms)};
    }
}

std::string mend_of_key(const Terms& terms) {
    if (terms.variable.empty())
        return "; does it want a key? spec.eval.model.apiKeyVariable names the variable that holds it";
    return "; is the key in the variable " + terms.variable + " the right one?";
}

std::optional<int> month_named(const char* name) {
    constexpr std::string_view names = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto at = names.find(name);
    if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
    return static_cast<int>(at / 3 + 1);
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that is to be written today.
std::optional<std::int64_t> unix_time(const std::string& date) {
    std::array<char, 4> month{};
    int day = 0, year = 0, hour = 0, minute = 0, second = 0, end = 0;
    const int read = std::sscanf(date.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, month.data(),
                                 &year, &hour, &minute, &second, &end);
    const auto number = month_named(month.data());
    if (read != 6 || end == 0 || !number) return std::nullopt;
    const std::chrono::year_month_day civil{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(*number)),
                                            std::chrono::day(static_cast<unsigned>(day))};
    if (!civil.ok()) return std::nullopt;
    return std::chrono::sys_days(civil).time_since_epoch().count() * 86'400LL + hour * 3'600 + minute * 60 + second;
}

}  // namespace

std::optional<std::chrono::seconds> retry_after(const std::string& header, std::int64_t unix_seconds) {
    if (header.empty()) return std::nullopt;
    std::int64_t seconds = 0;
    const char* const last = header.data() + header.size();
    const auto end = std::from_chars(header.data(), last, seconds);
    if (end.ec == std::errc::result_out_of_range && header.front() != '-') return longest_wish;
    if (end.ec != std::errc() || end.ptr != last) {
        const auto date = unix_time(header);
        if (!date) return std::nullopt;
        seconds = *date - unix_seconds;
        return std::chrono::seconds(std::max<std::int64_t>(seconds, 0));
    }
    if (seconds < 0) return std::nullopt;
    return std::chrono::seconds(seconds);
}

std::optional<Error> wrong_key(const Exchange& exchange, const Terms& terms) {
    const std::string says =
        terms.url + " answered " + std::to_string(exchange.status) + ": " + refusal_text(exchange.body);
    const auto bad = [](const std::string& message) { return Error{"BadInput", message, false}; };
    if (exchange.status == 401) return bad("spec.eval.model.apiKeyVariable: " + says + mend_of_key(terms));
    if (exchange.status == 402)
        return bad("spec.eval.model.url: " + says + "; it wants to be paid first: is there money left on its account?");
    if (exchange.status == 407) return bad("spec.eval.model.proxy: " + says + "; the proxy wants to know who asks");
    return std::nullopt;
}

Error refuses_all(const Exchange& exchange, const Terms& terms) {
    const std::string status = terms.url + " answered " + std::to_string(exchange.status);
    const std::string says = status + ": " + refusal_text(exchange.body);
    const auto bad = [](const std::string& message) { return Error{"BadInput", message, false}; };
    if (exchange.status >= 300 && exchange.status < 400)
        return bad("spec.eval.model.url: " + status + ", a redirect to " + readable(exchange.location, 200) +
                   "; redirects are not followed: name the place itself");
    if (exchange.status == 403) return bad("spec.eval.model.apiKeyVariable: " + says + mend_of_key(terms));
    if (exchange.status == 404 || exchange.status == 405)
        return bad("spec.eval.model.url: " + says +
                   "; does the url end as the server wants it (most: /v1), and has it the model " + terms.model + "?");
    return bad("spec.eval.model.parameters: " + says +
               "; does the server know all that is asked of it (model.parameters, tokenLimit, sendSeed, the task's "
               "settings), and the model " +
               terms.model + "?");
}

Verdict judge(const Exchange& exchange, Tries& tries, bool alone, const Terms& terms, double chance,
              std::int64_t unix_seconds) {
    switch (exchange.kind) {
        case Exchange::Kind::Answered:
            return answered(exchange, tries, terms, chance, unix_seconds);
        case Exchange::Kind::NoConnection:
            return TryAgain{pause_before(3, terms, chance), false, false, alone, true};
        case Exchange::Kind::NotTrusted:
            return Error{"BadInput",
                         "spec.eval.model.url: " + terms.url + ": " + exchange.why +
                             "; the variable SSL_CERT_FILE of container runner names a file of the authorities to "
                             "trust",
                         false};
        case Exchange::Kind::Lost:
            return lost(exchange.why, tries, alone, terms, chance);
        case Exchange::Kind::Late:
            return failed("no whole answer within " + std::to_string(terms.sample_timeout.count()) +
                              " s (spec.eval.inference.sampleTimeoutSeconds)",
                          tries, terms, chance, true);
        case Exchange::Kind::TooLong:
            return FailSample{"the server's answer has more than " + std::to_string(max_answer_bytes) + " bytes"};
        case Exchange::Kind::Garbled:
            return failed("its answer is none: " + exchange.why, tries, terms, chance);
        case Exchange::Kind::HoldsKey:
            return FailSample{exchange.why + "; an answer is taken as it is or not at all", "", true};
    }
    return FailSample{"unknown"};
}

}  // namespace evaljob::openai
