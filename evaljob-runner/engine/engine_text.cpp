#include "evaljob-runner/engine/engine_text.hpp"

#include <utility>

#include "api/utf8.hpp"

namespace evaljob {

std::string readable(std::string bytes, std::size_t limit) {
    if (bytes.size() > limit) bytes.resize(limit);
    const std::string quoted = Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace);
    return Json::parse(quoted).get<std::string>();
}

Prediction failed_prediction(std::string why) { return {nullptr, Json::object(), std::move(why)}; }

Prediction text_prediction(const std::string& bytes, const std::string& whose) {
    if (bytes.size() <= max_prediction_bytes) return {text_to_json(bytes), Json::object(), ""};
    return failed_prediction(whose + " prediction has " + std::to_string(bytes.size()) + " bytes; at most " +
                             std::to_string(max_prediction_bytes) + " are taken");
}

}  // namespace evaljob
