#include "evaljob-runner/communicate/bounded.hpp"

#include <algorithm>
#include <string>

namespace evaljob {

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
    const CollectiveWatch watch(patience_.now(), patience_.limit);
    for (int round = 0;; ++round) {
        const auto asked = library_->ask();
        switch (watch.take(asked.state, patience_.now())) {
            case CollectiveWatch::Verdict::Finished:
                return {};
            case CollectiveWatch::Verdict::GiveUp:
                return give_up(asked.state == Collectives::State::Failed
                                   ? asked.why
                                   : std::string("a member did not answer (") + what + ") within " +
                                         std::to_string(patience_.limit) + " ms");
            case CollectiveWatch::Verdict::AskAgain:
                patience_.pause(round);
        }
    }
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
