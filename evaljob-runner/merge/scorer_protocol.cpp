#include "evaljob-runner/merge/scorer_protocol.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "api/json_text.hpp"
#include "evaljob-runner/engine/engine_text.hpp"

namespace evaljob {

namespace {

constexpr std::size_t shown_bytes = 160;  // of a value, in a message

std::string shown(const Json& value) {
    return readable(value.dump(-1, ' ', false, Json::error_handler_t::replace), shown_bytes);
}

/// Appends the points of one score; else says why there are none.
std::string read_score(const Json& value, const std::string& name, std::vector<Points>& points) {
    if (!value.is_number()) return "its score " + name + " must be a number, is " + shown(value);
    const double scaled = value.get<double>() * static_cast<double>(full_points);
    if (!(std::abs(scaled) <= static_cast<double>(most_points)))
        return "its score " + name + " must be from -1000000 to 1000000, is " + shown(value);
    points.push_back(std::llround(scaled));
    return "";
}

std::string read_scores(const Json& answer, const std::vector<std::string>& names, std::vector<Points>& points) {
    const auto scores = answer.find("scores");
    if (scores == answer.end() || !scores->is_object())
        return "its answer has neither scores, an object of numbers by name, nor error";
    for (const std::string& name : names) {
        const auto score = scores->find(name);
        if (score == scores->end()) return "its answer has no score " + name + ", which scorer.scores names";
        if (std::string why = read_score(*score, name, points); !why.empty()) return why;
    }
    for (const auto& [name, value] : scores->items())
        if (std::find(names.begin(), names.end(), name) == names.end())
            return "its answer has the score " + shown(Json(name)) + ", which scorer.scores does not name";
    return "";
}

}  // namespace

std::string scorer_request(std::uint64_t number, const std::string& dataset, const ManifestSample& sample,
                           std::uint64_t repeat, std::string_view prediction) {
    const std::string target = sample.target.dump();
    std::string line = "{\"request\":" + std::to_string(number) + ",\"dataset\":" + Json(dataset).dump() +
                       ",\"id\":" + Json(sample.id).dump() + ",\"repeat\":" + std::to_string(repeat) +
                       ",\"prediction\":";
    line += prediction;
    line += ",\"target\":" + (sample.target.is_array() ? target : "[" + target + "]");
    return line + "}\n";
}

std::optional<ScorerAnswer> read_scorer_answer(std::string_view line, const std::vector<std::string>& names) {
    if (line.find('{') == std::string_view::npos) return std::nullopt;
    const Json object = parse_json(line);
    if (!object.is_object()) return std::nullopt;
    const auto request = object.find("request");
    if (request == object.end() || !request->is_number_unsigned()) return std::nullopt;
    ScorerAnswer answer;
    answer.request = request->get<std::uint64_t>();
    if (const auto error = object.find("error"); error != object.end() && !error->is_null())
        answer.error =
            "it says: " + (error->is_string() ? readable(error->get<std::string>(), max_error_bytes) : shown(*error));
    else
        answer.error = read_scores(object, names, answer.points);
    if (!answer.error.empty()) answer.points.clear();
    return answer;
}

}  // namespace evaljob
