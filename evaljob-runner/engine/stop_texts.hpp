// Stop texts, where the engine itself cuts at them: servers and programs may leave them in. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/utf8.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

struct StopTexts {
    std::vector<std::string> texts;  // an empty one is none
    bool stay = false;               // the first one that stands there is kept, what is behind it is not
};

/// How many of the bytes are before (or with) the first of the stop texts.
inline std::size_t end_before_stop(std::string_view bytes, const StopTexts& stop) {
    std::size_t first = bytes.size();
    std::size_t end = bytes.size();
    for (const std::string& text : stop.texts) {
        if (text.empty()) continue;
        const auto at = bytes.find(text);
        if (at == std::string_view::npos || at >= first) continue;
        first = at;
        end = stop.stay ? at + text.size() : at;
    }
    return end;
}

/// An answer that ran into a limit behind its stop text had ended before: its finishReason becomes "stop".
inline void cut_at_stop(Prediction& prediction, const StopTexts& stop) {
    std::string bytes;
    if (!prediction.error.empty() || stop.texts.empty() || !text_from_json(prediction.prediction, bytes)) return;
    const std::size_t end = end_before_stop(bytes, stop);
    if (end == bytes.size()) return;
    bytes.resize(end);
    prediction.prediction = text_to_json(bytes);
    if (prediction.detail.contains("finishReason") && prediction.detail["finishReason"] == "length")
        prediction.detail["finishReason"] = "stop";
}

}  // namespace evaljob
