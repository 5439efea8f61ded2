#include "evaljob-runner/engine/torch_words.hpp"

#include <sstream>

namespace evaljob {

std::string essence_of(const std::string& text) {
    std::istringstream stream(text);
    std::string kept;
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with("Exception raised from") || line.starts_with("frame #")) break;
        if (kept.empty() || line.starts_with("RuntimeError: ")) kept = line;
    }
    kept = kept.substr(0, kept.find("  (Could this error message be improved?"));
    return kept.size() > 300 ? kept.substr(0, 300) + "…" : kept;
}

}  // namespace evaljob
