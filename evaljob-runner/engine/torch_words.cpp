#include "evaljob-runner/engine/torch_words.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

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

bool tells_of_no_memory(const std::string& text) {
    constexpr std::array<std::string_view, 5> words{"out of memory", "not enough memory: you tried to allocate",
                                                    "can't allocate memory", "_STATUS_ALLOC_FAILED", "std::bad_alloc"};
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

Computed thrown(const std::string& text, const std::string& hopeless) {
    const std::string essence = essence_of(text);
    if (tells_of_no_memory(text))
        return Setback{
            true, essence,
            Error{"OutOfMemory", "there is not enough memory for a single sample. libtorch says: " + essence, true}};
    if (text.find("CUDA error: ") != std::string::npos)
        return Error{"DeviceFailed", "the device has failed. libtorch says: " + essence, true};
    return Setback{false, "the model fails on it. libtorch says: " + essence,
                   Error{"BadInput", hopeless + " libtorch says: " + essence, false}};
}

}  // namespace evaljob
