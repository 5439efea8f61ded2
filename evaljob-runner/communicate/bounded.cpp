#include "evaljob-runner/communicate/bounded.hpp"

#include <algorithm>
#include <string>

namespace evaljob {

Result<void> await_end(Collectives& library, const Patience& patience, const char* what) {
    const CollectiveWatch watch(patience.now(), patience.limit);
    for (int round = 0;; ++round) {
        const auto asked = library.ask();
        switch (watch.take(asked.state, patience.now())) {
            case CollectiveWatch::Verdict::Finished:
                return {};
            case CollectiveWatch::Verdict::GiveUp:
                if (asked.state == Collectives::State::Failed) return fail("Unavailable", asked.why);
                return fail("Unavailable", std::string("a member did not answer (") + what + ") within " +
                                               std::to_string(patience.limit) + " ms");
            case CollectiveWatch::Verdict::AskAgain:
                patience.pause(round);
        }
    }
}

Result<void> BoundedCommunicator::broadcast(char* bytes, std::size_t count) {
    for (std::size_t at = 0; at < count;) {
        if (broken_) return tl::unexpected(*broken_);
        const std::size_t part = std::min(count - at, library_->room());
        if (self() == 0) std::copy_n(bytes + at, part, library_->bytes());
        if (auto done = complete(library_->begin_broadcast(part), "broadcast"); !done) return done;
        if (self() != 0) std::copy_n(library_->bytes(), part, bytes + at);
        at += part;
    }
    return {};
}

Result<std::vector<std::uint64_t>> BoundedCommunicator::all_gather(std::uint64_t value) {
    if (broken_) return tl::unexpected(*broken_);
    if (auto done = complete(library_->begin_all_gather(value), "all-gather"); !done)
        return tl::unexpected(done.error());
    return library_->gathered();
}

Result<void> BoundedCommunicator::complete(const Result<void>& begun, const char* what) {
    if (!begun) return give_up(begun.error().message);
    if (const auto ended = await_end(*library_, patience_, what); !ended) return give_up(ended.error().message);
    return {};
}

/// The first reason counts.
tl::unexpected<Error> BoundedCommunicator::give_up(const std::string& why) {
    if (!broken_) {
        broken_ = Error{"Unavailable", why, false};
        library_->abort();
    }
    return tl::unexpected(*broken_);
}

}  // namespace evaljob
