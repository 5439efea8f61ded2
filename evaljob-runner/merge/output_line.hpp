// One line of what an image of the user's own wrote: {"id": …, "prediction": …, whatever else}. Pure; the line is
// untrusted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob {

inline constexpr std::size_t max_line_bytes = std::size_t{4} << 20U;
inline constexpr std::size_t max_line_depth = 64;  // of objects and lists in each other
inline constexpr std::size_t max_id_bytes = 1024;

struct OutputLine {
    std::string id;  // of the sample; 7 and "7" are the same one
    Json prediction;
    Json fields = Json::object();  // whatever else the line holds
    std::string error;             // why the sample failed; empty: it did not
};

/// A text in `error`, or a prediction that is null, says that the sample failed. Fails with Damaged, the message being
/// what is wrong, as it follows "FILE line 7: ".
Result<OutputLine> read_output_line(std::string_view line);

/// A prediction of Classification as the class's number: given as that number, or by the class's name. Fails with
/// Damaged when it is neither: a misspelt name must not pass for a wrong answer.
Result<Json> class_of(const Json& prediction, const std::vector<std::string>& classes);

/// The prediction if it is a text, or {"base64": …} of one that is no UTF-8. Fails with Damaged.
Result<Json> text_of(const Json& prediction);

}  // namespace evaljob
