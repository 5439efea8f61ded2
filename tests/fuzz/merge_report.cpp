// The merge's termination message, which the operator reads from a Pod's status.
#include "api/merge_report.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto report = decode_merge_report(fuzz::text_of(bytes, size));
    if (!report) {
        fuzz::require(report.error().reason == "InvalidReport", "a refused report is an invalid one");
        return 0;
    }
    const std::string text = encode_merge_report(*report);
    fuzz::require(text.size() < 4096, "a report is below Kubernetes' limit");
    const auto again = decode_merge_report(text);
    fuzz::require(again.has_value(), "a report that was read and written reads again");
    fuzz::require(again->samples == report->samples && again->missing == report->missing &&
                      again->failed == report->failed && again->published == report->published &&
                      again->partial == report->partial,
                  "counts are never dropped");
    fuzz::require(encode_merge_report(*again) == text, "a report that fits is the same");
    return 0;
}
