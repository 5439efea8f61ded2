// What is done about what came of a request. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "evaljob-runner/engine/openai/chat_answer.hpp"
#include "evaljob-runner/engine/openai/fit.hpp"
#include "evaljob-runner/engine/openai/redaction.hpp"

namespace evaljob::openai {

/// What came of one request.
struct Exchange {
    enum class Kind {
        Answered,      // a whole answer, of whatever status
        NoConnection,  // nobody was reached
        NotTrusted,    // TLS: the server's certificate, or its protocol
        Lost,          // the connection ended before the answer did, or it is no HTTP
        Late,          // it was not there in time
        TooLong,       // more than max_answer_bytes
        Garbled,       // its body cannot be decoded
        HoldsKey       // it says a key that was sent to it
    };
    Kind kind = Kind::NoConnection;
    int status = 0;
    std::string body;
    std::string retry_after;  // the headers, where there are any
    std::string location;
    std::string why;  // of all but Answered
};

/// How a sample fared so far.
struct Tries {
    int failed = 0;      // 500 and the like, garbage, time-outs
    int refused = 0;     // 429, 502, 503, 504
    int lost = 0;        // with others beside it
    int lost_alone = 0;  // with the server for itself
};

// So often before a sample fails.
inline constexpr int most_failed = 3;
inline constexpr int most_refused = 20;
// A server that dies takes along what it has in hand. A sample that has met so many deaths is asked alone.
inline constexpr int lost_before_alone = 2;
inline constexpr int most_lost_alone = 3;

inline constexpr std::chrono::seconds longest_pause{60};
inline constexpr std::chrono::seconds longest_wish{300};  // that a server may have with Retry-After

struct TryAgain {
    std::chrono::milliseconds after{};
    bool overloaded = false;  // fewer at a time
    bool for_all = false;     // the pause is the server's wish
    bool alone = false;
    bool no_service = false;  // nobody was there, or nobody is served
};
struct FailSample {
    std::string why;
    /// What the record's detail calls it: "Filtered", or nothing.
    std::string failure = {};
    bool answered = false;  // by a server that works: the failure is the sample's own
};
/// The server does not take this request, because of the sample or because of everything: what it says to other
/// requests tells which (refusals.hpp).
struct Refusal {
    std::string why;  // of the sample
    Error of_all;     // how the job ends if it is so for every request
};
using Verdict = std::variant<ChatAnswer, TryAgain, FailSample, Refusal, Error>;

/// What stays the same from request to request.
struct Terms {
    std::string url;       // spec.eval.model.url
    std::string model;     // its name
    std::string variable;  // of the key; may be empty
    std::chrono::seconds sample_timeout{};
    std::chrono::milliseconds first_pause{500};
    bool filtered_fails = true;  // spec.eval.model.contentFilter
    FitRules fit = {};
    Redaction secrets = {};  // that the server may say back
};

/// `tries` counts this one too afterwards. `chance`: from 0 to below 1, so that not all come back at once. An Error is
/// one of the whole server, which trying again cannot mend.
Verdict judge(const Exchange& exchange, Tries& tries, bool alone, const Terms& terms, double chance,
              std::int64_t unix_seconds);

/// The pause that Retry-After asks for, in seconds or as a date; nothing for anything else.
std::optional<std::chrono::seconds> retry_after(const std::string& header, std::int64_t unix_seconds);

/// 401, 402, 407: whoever asks gets the same. Nothing for other statuses.
std::optional<Error> wrong_key(const Exchange& exchange, const Terms& terms);

/// How the job ends when a server refuses all requests like this.
Error refuses_all(const Exchange& exchange, const Terms& terms);

}  // namespace evaljob::openai
