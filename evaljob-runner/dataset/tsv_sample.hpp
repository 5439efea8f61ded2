// One row of a TSV dataset as a sample. Pure; the row is untrusted.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/dataset/dataset.hpp"

namespace evaljob {

inline constexpr std::size_t max_reference_bytes = 64;  // VLMEvalKit: a cell `image` as short as that names another row

/// Where the columns with a meaning stand in a header.
struct TsvColumns {
    std::vector<std::string> names;
    std::size_t index = 0;
    std::size_t answer = 0;
    std::optional<std::size_t> group;
    std::optional<std::size_t> image;
    std::optional<std::size_t> image_path;

    /// Empty: the row has none.
    static std::string cell(const std::vector<std::string>& cells, const std::optional<std::size_t>& column) {
        return column ? cells[*column] : "";
    }
};

/// Fails with BadInput when a column is missing or there twice.
Result<TsvColumns> read_tsv_header(const std::vector<std::string>& cells, const Task& task);

/// `index` names the sample, `answer` is the right answer, and the other cells that are not empty are the input;
/// several images in a cell are a list there. MultipleChoice: the answer is the letter of a column. Generation: an
/// answer that is wholly a list of quoted texts is several, unless the task takes it for one text. Fails with BadInput;
/// the message is for a reader who knows the row.
Result<Sample> read_tsv_sample(const TsvColumns& columns, const std::vector<std::string>& cells, const Task& task);

/// True when the cell `image` or `image_path` holds several, as a list.
bool is_tsv_list(std::string_view cell);

/// True for a URL that somebody else has to fetch.
bool is_web_address(std::string_view cell);

/// True when the cell `image` is the index of the row that has the image.
bool is_image_reference(std::string_view cell);

/// The bytes of the image in a cell: base64, or a data: URL of it. Fails with BadInput.
Result<std::string> read_tsv_image(std::string cell);

}  // namespace evaljob
