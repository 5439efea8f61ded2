// What a person sees of a run: one line that is redrawn on a terminal, plain lines otherwise. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace evaljob {

/// A run at one moment, from the EvalJob's status and node 0's last report.
struct RunView {
    std::string status;  // the summary's word: Pending, Starting, Running, …
    std::string nodes;   // "4/4"
    std::int64_t samples_done = 0;
    std::int64_t samples_total = 0;  // 0: not known yet
    double samples_per_second = 0;
    double eta_seconds = 0;
    int ranks_connected = 0;
    int world_size = 0;
    std::string waiting_for;  // what the ranks wait for, while they do: "http://…: Connection refused"
};

/// "Running  ███████░░░  73 %  7,300/10,000  2,431/s  ETA 1 s  ranks 8/8", at most `width` columns.
std::string bar_line(const RunView& view, int width);

/// The same facts as words, for logs: "Running: 7,300 of 10,000 samples (73 %), 2,431 a second, 8 of 8 ranks, ETA 1 s".
std::string plain_line(const RunView& view);

/// "2,431", "2.4", "0.31"; what takes minutes or hours is said of these: {"18", Minute}.
struct Rate {
    std::string number;
    enum class Unit { Second, Minute, Hour } unit = Unit::Second;
};
Rate rate_of(double per_second);

/// "12,345"
std::string with_commas(std::int64_t number);

/// "45 s", "3 min 20 s", "2 h 5 min"
std::string duration_words(double seconds);

}  // namespace evaljob
