#include "evaljob-runner/dataset/tsv.hpp"

#include <algorithm>

namespace evaljob {

namespace {

constexpr std::size_t max_cells = 1024;

tl::unexpected<Error> bad(const std::string& what) { return fail("BadInput", what); }

/// A cell in quotes, in front of `row`, which is left behind it.
Result<std::string> quoted_cell(std::string_view& row) {
    std::string cell;
    do {
        row.remove_prefix(1);
        const auto quote = row.find('"');
        if (quote == std::string_view::npos) return bad("has a quote that is not closed");
        cell += row.substr(0, quote);
        row.remove_prefix(quote + 1);
        if (row.starts_with('"')) cell += '"';
    } while (row.starts_with('"'));
    if (!row.empty() && row.front() != '\t')
        return bad("has text behind a closing quote; a quote within a cell in quotes is written twice");
    return cell;
}

}  // namespace

void TsvRows::add(std::string_view block) {
    while (!block.empty()) {
        // Most bytes are an image's, and stand within one cell.
        std::size_t skipped = 0;
        if (at_ == At::Plain || at_ == At::Quoted) {
            const char end = at_ == At::Plain ? '\t' : '"';
            skipped = static_cast<std::size_t>(
                std::find_if(block.begin(), block.end(), [end](char c) { return c == end || c == '\n'; }) -
                block.begin());
            row_.length += skipped;
            blank_ = blank_ && skipped == 0;
            block.remove_prefix(skipped);
            if (block.empty()) return;
        }
        take(block.front());
        block.remove_prefix(1);
    }
}

void TsvRows::finish() {
    if (row_.length > 0) end_row();
}

void TsvRows::take(char c) {
    if (c == '\n') {
        ++lines_;
        if (at_ != At::Quoted) return end_row();
    }
    blank_ = blank_ && c == '\r';
    ++row_.length;
    switch (at_) {
        case At::CellStart:
            at_ = c == '"' ? At::Quoted : c == '\t' ? At::CellStart : At::Plain;
            return;
        case At::Quoted:
            if (c == '"') at_ = At::QuoteInQuoted;
            return;
        case At::QuoteInQuoted:
            at_ = c == '"' ? At::Quoted : c == '\t' ? At::CellStart : At::Plain;
            return;
        case At::Plain:
            if (c == '\t') at_ = At::CellStart;
            return;
    }
}

void TsvRows::end_row() {
    if (!blank_) rows_.push_back(row_);
    row_ = {row_.offset + row_.length + 1, 0, lines_};
    blank_ = true;
    at_ = At::CellStart;
}

Result<std::vector<std::string>> tsv_cells(std::string_view row) {
    if (row.ends_with('\r')) row.remove_suffix(1);
    std::vector<std::string> cells;
    for (;;) {
        if (cells.size() == max_cells) return bad("has more than " + std::to_string(max_cells) + " cells");
        if (row.starts_with('"')) {
            auto cell = quoted_cell(row);
            if (!cell) return tl::unexpected(cell.error());
            cells.push_back(std::move(*cell));
        } else {
            cells.emplace_back(row.substr(0, row.find('\t')));
            row.remove_prefix(cells.back().size());
        }
        if (row.empty()) return cells;
        row.remove_prefix(1);
    }
}

}  // namespace evaljob
