// One result: what was predicted for one sample under one lease. Records are keyed by (dataset, sample id, repeat);
// of several records of one sample the lowest lease number with a prediction counts.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <tuple>

#include "api/canonical_json.hpp"
#include "api/result.hpp"

namespace evaljob {

/// Unique within one output folder: the coordinator's epoch, then a counter within it.
struct LeaseNumber {
    std::uint32_t epoch = 0;
    std::uint64_t counter = 0;

    auto operator<=>(const LeaseNumber&) const = default;
};

std::string text_of(LeaseNumber number);  // "2.17", for people

struct Record {
    std::uint32_t dataset = 0;  // index in the manifest
    std::string id;             // of the sample
    std::uint32_t repeat = 0;
    LeaseNumber lease;
    CanonicalJson prediction;               // Classification: the class as an integer; null when the sample failed
    CanonicalJson detail = Json::object();  // Classification: {"confidence": "0.987654"}; part of the record's content
    std::string error;                      // why the sample failed; empty: it did not

    bool failed() const { return !error.empty(); }
    bool operator==(const Record&) const = default;
};

std::string encode_record(const Record& record);       // canonical JSON
Result<Record> decode_record(std::string_view bytes);  // any other bytes are an Error, never an exception

}  // namespace evaljob
