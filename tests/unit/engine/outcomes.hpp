// What came of an engine's samples, as a test compares it.
#pragma once

#include <string>
#include <vector>

#include "api/utf8.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob::test {

/// Of each sample the prediction, or "failed: " and why.
inline std::vector<std::string> outcomes_of(const EngineAnswer& answer) {
    std::vector<std::string> texts;
    for (const Prediction& prediction : answer.predictions) {
        std::string text;
        if (!prediction.error.empty())
            texts.push_back("failed: " + prediction.error);
        else
            texts.push_back(text_from_json(prediction.prediction, text) ? text : prediction.prediction.dump());
    }
    return texts;
}

}  // namespace evaljob::test
