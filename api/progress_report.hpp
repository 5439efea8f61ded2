// What node 0's runner answers to GET /progress, as whoever asks reads it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/result.hpp"

namespace evaljob {

struct ProgressReport {
    std::int64_t samples_done = 0;
    std::int64_t samples_total = 0;
    double samples_per_second = 0;
    double eta_seconds = 0;
    std::string slowest_rank;
    std::string waiting_for;        // what a rank waits for before it can go on; empty: none does
    bool rendezvous_ready = false;  // every rank of the contract has registered
    int ranks_connected = 0;
    std::int64_t idle_seconds = 0;  // since a sample was last finished (or work began), by node 0's own clock
    std::int32_t attempt = 0;       // node 0's that says so
    std::string identity;           // of the manifest that node 0 has frozen, 64 hexadecimal digits; empty: not said
    std::int64_t time = 0;          // Unix seconds by the asker's clock, when it came
};

/// Fails with BadMessage when it is not what our runner says; whoever wrote it is not trusted. `time` is 0.
Result<ProgressReport> parse_progress_report(std::string_view body);

/// What node 0's launcher leaves as its termination message when all is done: the identity, for whom no report of
/// progress has reached.
std::string encode_last_words(const std::string& identity);
/// Empty when it is no such message, or names no identity; whoever wrote it is not trusted.
std::string identity_in_last_words(std::string_view message);

}  // namespace evaljob
