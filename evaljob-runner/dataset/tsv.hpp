// Tab-separated values, quoted as CSV is: a cell in quotes may hold tabs, line ends, and quotes written twice. As
// pandas writes and reads them. Pure; the bytes are untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/result.hpp"

namespace evaljob {

struct TsvRow {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  // without its end
    std::uint64_t line = 0;    // of the file, from 1: where the row begins
};

/// Finds the rows of a file that comes block by block. Empty lines are passed over.
class TsvRows {
public:
    void add(std::string_view block);
    void finish();
    std::vector<TsvRow> rows() && { return std::move(rows_); }

private:
    enum class At { CellStart, Plain, Quoted, QuoteInQuoted };

    void take(char c);
    void end_row();

    std::vector<TsvRow> rows_;
    TsvRow row_{0, 0, 1};  // the one that is being read
    std::uint64_t lines_ = 1;
    bool blank_ = true;
    At at_ = At::CellStart;
};

/// The cells of one row. Fails with BadInput; the message is for a reader who knows the row.
Result<std::vector<std::string>> tsv_cells(std::string_view row);

}  // namespace evaljob
