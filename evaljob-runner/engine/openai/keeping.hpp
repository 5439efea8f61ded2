// Whether a connection is used again. What is left on one would be taken for the answer to the next request, and
// nothing in HTTP would tell. Pure. docs/decisions/0031-kept-connections.md
#pragma once

#include <chrono>

namespace evaljob::openai {

/// How a conversation ended.
struct AnswerEnd {
    bool request_sent = false;  // all of it
    bool keep_alive = false;    // the server keeps the connection, and the answer's end was no end of the connection
    bool left_over = false;     // bytes behind the answer
};

/// What can be read from a connection on which nothing was asked.
enum class Unasked {
    Nothing,
    End,     // of the connection; also what a server may say before that: 408, TLS's own messages
    Answer,  // or whatever else
};

class Keeping {
public:
    using Span = std::chrono::milliseconds;

    // A second answer may come in a packet of its own, right behind the first.
    static constexpr Span default_rest{2};
    // Common servers close a connection after 5 s; a request must not meet that.
    static constexpr Span most_idle{4'000};

    bool may_keep(const AnswerEnd& end) {
        if (end.left_over) is_trusted_ = false;
        return is_trusted_ && end.request_sent && end.keep_alive && !end.left_over;
    }

    /// `idle`: since its last answer.
    bool may_use(Unasked found, Span idle) {
        if (found == Unasked::Answer) is_trusted_ = false;
        return is_trusted_ && found == Unasked::Nothing && idle <= most_idle;
    }

    /// A server that once said what nobody had asked for gets each request on a connection of its own from then on.
    bool is_trusted() const { return is_trusted_; }

private:
    bool is_trusted_ = true;
};

/// What is done when a request failed on a kept connection: a server closes those when it likes. Only one that cannot
/// have been read whole is sent again unasked; any other may have been answered, and paid.
inline bool may_send_again(bool was_kept, bool request_sent, bool heard_anything) {
    return was_kept && !request_sent && !heard_anything;
}

}  // namespace evaljob::openai
