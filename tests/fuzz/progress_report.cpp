// What a Pod answers to GET /progress.
#include "api/progress_report.hpp"

#include <cmath>

#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto report = parse_progress_report(fuzz::text_of(bytes, size));
    if (!report) return 0;
    fuzz::require(report->samples_done >= 0 && report->samples_total >= 0, "counts are counts");
    fuzz::require(report->idle_seconds >= 0 && report->attempt >= 0, "times and attempts are counts");
    fuzz::require(std::isfinite(report->eta_seconds) && report->eta_seconds >= 0, "an estimate is a time");
    fuzz::require(std::isfinite(report->samples_per_second), "a rate is a number");
    return 0;
}
