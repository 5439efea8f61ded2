#include "evaljob-runner/dataset/tsv_sample.hpp"

#include <algorithm>
#include <string_view>

#include "api/base64.hpp"
#include "api/utf8.hpp"
#include "evaljob-runner/dataset/quoted_list.hpp"

namespace evaljob {

namespace {

constexpr std::string_view data_scheme = "data:";

tl::unexpected<Error> bad(const std::string& what) { return fail("BadInput", what); }

tl::unexpected<Error> too_large(const std::string& column, std::size_t limit, std::size_t is) {
    return bad(column + " must have at most " + std::to_string(limit) + " bytes, has " + std::to_string(is));
}

std::optional<std::size_t> place_of(const std::vector<std::string>& names, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

/// True when the letter is that of a column which holds a text; columns before it may be empty.
bool has_option(const TsvColumns& columns, const std::vector<std::string>& cells, const std::string& letter) {
    if (letter.size() != 1 || letter < "A" || letter > "Z") return false;
    return !TsvColumns::cell(cells, place_of(columns.names, letter)).empty();
}

Json target_of(const std::string& answer, const Task& task) {
    const bool may_be_list = task.type == TaskType::Generation && task.targets == Targets::Auto;
    const auto several = may_be_list ? quoted_list(answer) : std::nullopt;
    return several ? Json(*several) : Json(answer);
}

std::string input_of(const TsvColumns& columns, const std::vector<std::string>& cells) {
    std::string input;
    const bool has_no_image =
        TsvColumns::cell(cells, columns.image).empty() && TsvColumns::cell(cells, columns.image_path).empty();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        // That there is a place for its image and nothing in it is told: who shows images must not ask without.
        const bool lacks_image = has_no_image && (i == columns.image || i == columns.image_path);
        if (i == columns.index || i == columns.answer || columns.names[i].empty()) continue;
        if (cells[i].empty() && !lacks_image) continue;
        const auto several = i == columns.image || i == columns.image_path ? quoted_list(cells[i]) : std::nullopt;
        input += input.empty() ? "{" : ",";
        input += Json(columns.names[i]).dump() + ":" + (several ? Json(*several) : Json(cells[i])).dump();
    }
    return input.empty() ? "{}" : input + "}";
}

}  // namespace

Result<TsvColumns> read_tsv_header(const std::vector<std::string>& cells, const Task& task) {
    if (cells.front().starts_with("\xef\xbb\xbf"))
        return bad("begins with a byte order mark; save the file as UTF-8 without one");
    TsvColumns columns;
    columns.names = cells;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (!is_utf8(cells[i])) return bad("is not UTF-8 text");
        if (!cells[i].empty() && place_of(cells, cells[i]) != i) return bad("has two columns " + cells[i]);
    }
    const auto index = place_of(cells, "index");
    if (!index) return bad("has no column index; the first line names the columns, with tabs between them");
    const auto answer = place_of(cells, "answer");
    if (!answer) return bad("has no column answer: the right answers");
    columns.index = *index;
    columns.answer = *answer;
    columns.image = place_of(cells, "image");
    columns.image_path = place_of(cells, "image_path");
    if (!task.group_by.empty()) {
        columns.group = place_of(cells, task.group_by);
        if (!columns.group) return bad("has no column " + task.group_by + ", which task.groupBy names");
    }
    return columns;
}

Result<Sample> read_tsv_sample(const TsvColumns& columns, const std::vector<std::string>& cells, const Task& task) {
    if (cells.size() != columns.names.size())
        return bad("has " + std::to_string(cells.size()) + " cells, the first line names " +
                   std::to_string(columns.names.size()) + " columns");
    if (!std::all_of(cells.begin(), cells.end(), [](const std::string& cell) { return is_utf8(cell); }))
        return bad("is not UTF-8 text");
    Sample sample;
    sample.id = cells[columns.index];
    if (sample.id.empty()) return bad("has no index: what the sample is called");
    if (sample.id.size() > max_id_bytes) return too_large("index", max_id_bytes, sample.id.size());
    const std::string& answer = cells[columns.answer];
    if (answer.empty()) return bad("has no answer: the right one");
    if (answer.size() > max_target_bytes) return too_large("answer", max_target_bytes, answer.size());
    if (task.type == TaskType::MultipleChoice && !has_option(columns, cells, answer))
        return bad("its answer is " + Json(answer.substr(0, 60)).dump(-1, ' ', false, Json::error_handler_t::replace) +
                   ", which is the letter of none of its options; they stand in the columns A, B, …");
    sample.target = target_of(answer, task);
    sample.group = TsvColumns::cell(cells, columns.group);
    if (columns.group && sample.group.empty())
        return bad("has no " + columns.names[*columns.group] +
                   ", which task.groupBy names; give every sample one, or remove groupBy");
    if (sample.group.size() > max_group_bytes)
        return too_large(columns.names[*columns.group], max_group_bytes, sample.group.size());
    sample.input = input_of(columns, cells);
    return sample;
}

bool is_tsv_list(std::string_view cell) { return cell.starts_with('[') && cell.ends_with(']'); }

bool is_web_address(std::string_view cell) { return cell.starts_with("http://") || cell.starts_with("https://"); }

bool is_image_reference(std::string_view cell) {
    const bool is_url = is_web_address(cell) || cell.starts_with(data_scheme);
    return !cell.empty() && cell.size() <= max_reference_bytes && !is_url && !is_tsv_list(cell);
}

Result<std::string> read_tsv_image(std::string cell) {
    if (cell.starts_with(data_scheme)) {
        const auto comma = cell.find(',');
        if (comma == std::string::npos || !std::string_view(cell).substr(0, comma).ends_with(";base64"))
            return bad("its image is a data: URL that is not in base64: data:image/png;base64,…");
        cell.erase(0, comma + 1);
    }
    std::erase_if(cell, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
    auto bytes = base64_decode(cell);
    if (!bytes || bytes->empty())
        return bad(
            "its image is neither base64, nor a data: or http(s): URL, nor the index of another row, which has "
            "at most " +
            std::to_string(max_reference_bytes) + " characters");
    return std::move(*bytes);
}

}  // namespace evaljob
