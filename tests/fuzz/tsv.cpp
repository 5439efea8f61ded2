// TSV datasets: rows, cells, and rows as samples.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/json_members.hpp"
#include "api/utf8.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/dataset/quoted_list.hpp"
#include "evaljob-runner/dataset/tsv.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

std::vector<TsvRow> rows_of(std::string_view text, std::size_t block) {
    TsvRows rows;
    for (; !text.empty(); text.remove_prefix(std::min(block, text.size()))) rows.add(text.substr(0, block));
    rows.finish();
    return std::move(rows).rows();
}

std::string quoted(const std::vector<std::string>& cells) {
    std::string row;
    for (const std::string& cell : cells) {
        row += row.empty() ? "\"" : "\t\"";
        for (const char c : cell) row += c == '"' ? std::string("\"\"") : std::string(1, c);
        row += '"';
    }
    return row;
}

void check_rows(std::string_view text) {
    const auto rows = rows_of(text, text.size());
    const auto again = rows_of(text, 1);
    fuzz::require(rows.size() == again.size(), "rows do not depend on the blocks");
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        fuzz::require(rows[i].offset == again[i].offset && rows[i].length == again[i].length, "nor where they lie");
        fuzz::require(rows[i].offset >= end && rows[i].length > 0, "rows follow each other");
        end = rows[i].offset + rows[i].length;
        fuzz::require(end <= text.size() && (end == text.size() || text[end] == '\n'), "a row ends where a line does");
        const auto cells = tsv_cells(text.substr(rows[i].offset, rows[i].length));
        if (!cells) {
            fuzz::require(cells.error().reason == "BadInput" && !cells.error().message.empty(), "a refusal says why");
            continue;
        }
        const std::string row = quoted(*cells);
        fuzz::require(tsv_cells(row) == *cells, "cells can be written and come back");
        const auto one = rows_of(row + "\n\n", 3);
        fuzz::require(one.size() == 1 && one.front().length == row.size(), "as one row");
    }
}

void check_dataset(std::string_view text) {
    const int descriptor = ::memfd_create("input", MFD_CLOEXEC);
    fuzz::require(::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
                  "memory takes the input");
    Dataset dataset;
    dataset.name = "d";
    dataset.format = DatasetFormat::TSV;
    dataset.path = "/proc/self/fd/" + std::to_string(descriptor);
    dataset.task.type = TaskType::Generation;
    dataset.task.group_by = "k";
    const auto reader = open_dataset(dataset, "/");
    for (std::uint64_t i = 0; reader && i < (*reader)->size(); ++i) {
        const auto sample = (*reader)->sample(i);
        if (!sample) {
            fuzz::require(sample.error().message.starts_with("dataset d: path: "), "a refusal names the file");
            continue;
        }
        fuzz::require(!sample->id.empty() && is_utf8(sample->id) && !sample->group.empty(), "names are text");
        fuzz::require(json_members(sample->input, Strictness::Json).has_value(), "the input is an object");
        fuzz::require(sample->input.find('\n') == std::string::npos, "of one line");
        const bool several = sample->target.is_array() && !sample->target.empty();
        fuzz::require(several || !sample->target.get<std::string>().empty(), "there is an answer");
    }
    ::close(descriptor);
}

}  // namespace

/// What is read as a list can be written as JSON writes one, and is read as the same.
void check_list(std::string_view text) {
    const auto list = quoted_list(text);
    if (!list) return;
    fuzz::require(!list->empty() && text.starts_with('[') && text.ends_with(']'), "a list is in brackets");
    const std::string written = Json(*list).dump(-1, ' ', true, Json::error_handler_t::replace);
    const bool sound = std::all_of(list->begin(), list->end(), [](const std::string& item) { return is_utf8(item); });
    fuzz::require(!sound || quoted_list(written) == list, "a list that is written is read again");
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    check_rows(text);
    check_dataset(text);
    check_list(text);
    return 0;
}
