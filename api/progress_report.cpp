#include "api/progress_report.hpp"

#include <cmath>
#include <limits>

#include "api/json.hpp"
#include "api/json_read.hpp"
#include "api/json_text.hpp"

namespace evaljob {
namespace {

bool is_count(const Json& value) { return value.is_number_integer() && value.get<std::int64_t>() >= 0; }

/// A time or a rate; what JSON cannot say (an infinity) comes as null, and is 0.
double measure(const Json& value) {
    const double number = value.is_number() ? value.get<double>() : 0;
    return std::isfinite(number) && number > 0 ? number : 0;
}

/// Only what can be one: it goes into status, and into a variable of the merge.
std::string identity_in(const Json& fields) {
    constexpr std::size_t digits = 64;
    std::string identity = text_of(fields, "identity");
    const bool is_one =
        identity.size() == digits && identity.find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_one ? identity : std::string();
}

}  // namespace

Result<ProgressReport> parse_progress_report(std::string_view body) {
    const Json fields = parse_json(body);
    for (const char* count : {"samplesDone", "samplesTotal", "idleSeconds", "attempt"})
        if (!is_count(member(fields, count)))
            return fail("BadMessage", std::string("a progress report without a count ") + count);
    if (number_of(fields, "attempt") > std::numeric_limits<std::int32_t>::max())
        return fail("BadMessage", "a progress report of an attempt beyond all attempts");
    ProgressReport report;
    report.samples_done = number_of(fields, "samplesDone");
    report.samples_total = number_of(fields, "samplesTotal");
    report.samples_per_second = measure(member(fields, "samplesPerSecond"));
    report.eta_seconds = measure(member(fields, "etaSeconds"));
    report.slowest_rank = text_of(fields, "slowestRank");
    report.waiting_for = text_of(fields, "waitingFor");
    report.rendezvous_ready = flag_of(fields, "rendezvousReady");
    if (const Json& ranks = member(fields, "ranks"); ranks.is_array())
        for (const Json& rank : ranks) report.ranks_connected += flag_of(rank, "connected") ? 1 : 0;
    report.idle_seconds = number_of(fields, "idleSeconds");
    report.identity = identity_in(fields);
    report.attempt = static_cast<std::int32_t>(number_of(fields, "attempt"));
    return report;
}

std::string encode_last_words(const std::string& identity) { return Json{{"identity", identity}}.dump(); }

std::string identity_in_last_words(std::string_view message) { return identity_in(parse_json(message)); }

}  // namespace evaljob
