// What can never be false, whatever anyone sends, writes or kills: if it is, this program is wrong, and every further
// step could make a wrong score. It says so and ends, in release builds too. What comes from outside (files, messages,
// answers) is never asserted but refused with an Error; nor is what a loop over many things would have to find out.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace evaljob {

[[noreturn, gnu::cold, gnu::noinline]] inline void assertion_failed(const char* expression, const char* file, int line,
                                                                    const char* message) {
    std::fprintf(stderr, "%s:%d: %s: `%s` is false; this is a fault in EvalJob, please report it\n", file, line,
                 message, expression);
    std::fflush(stderr);
    std::abort();
}

}  // namespace evaljob

/// `message` says what must hold, in words: "a lease has one holder".
#define EVALJOB_ASSERT(expression, message) \
    (static_cast<bool>(expression) ? void() : ::evaljob::assertion_failed(#expression, __FILE__, __LINE__, message))
