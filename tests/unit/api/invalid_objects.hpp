// The table in tests/invalid_objects/objects.yaml as values: `base`, and rows that say what of it is changed.
#pragma once

#include <string>
#include <vector>

#include "api/json.hpp"

namespace evaljob::test {

struct InvalidObject {
    std::string name;
    Json object;
    std::string message;  // of our validation, whole
    std::string server;   // "strict": the API server refuses it only under strict field validation
};

Json valid_object();
std::vector<InvalidObject> invalid_objects();

/// A text of `length` letters a.
inline std::string letters(std::size_t length) { return std::string(length, 'a'); }

}  // namespace evaljob::test
