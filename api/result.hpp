// Expected failures are values. A Result<T> holds either a T or an Error that says what went wrong, for a person,
// and whether trying again can help. Exceptions are caught once, at each third-party boundary, and become Errors.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace evaljob {

struct Error {
    std::string reason;   // CamelCase, for programs: "NotFound", "Conflict", "InvalidField", …
    std::string message;  // for a person: names the field, file or object, and the mend
    bool retry = false;   // true when the same call may succeed later
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string reason, std::string message, bool retry = false) {
    return tl::unexpected<Error>(Error{std::move(reason), std::move(message), retry});
}

}  // namespace evaljob
