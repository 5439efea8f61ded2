// One collective operation of a library, watched: libraries wait for a member that is dead or hangs for as long as it
// takes, so each operation is begun, asked for, and given up when its time is over. Pure: the clock is the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "api/result.hpp"
#include "evaljob-runner/milliseconds.hpp"

namespace evaljob {

/// What a library can do. Bytes are its own: one that was given up may still write there.
class Collectives {
public:
    virtual ~Collectives() = default;
    virtual std::size_t size() const = 0;
    virtual std::size_t self() const = 0;
    virtual std::size_t room() const = 0;  // bytes that one broadcast can have
    virtual char* bytes() = 0;             // of that room

    // One is begun at a time. Fails when it cannot even be begun.
    virtual Result<void> begin_broadcast(std::size_t count) = 0;
    virtual Result<void> begin_all_gather(std::uint64_t value) = 0;

    enum class State { Running, Done, Failed };
    struct Asked {
        State state = State::Running;
        std::string why;  // Failed
    };
    virtual Asked ask() = 0;
    virtual std::vector<std::uint64_t> gathered() const = 0;  // when it is done

    /// What runs is given up; nothing can be begun any more. Does not wait.
    virtual void abort() = 0;
};

/// What to do about an operation that was begun at a moment.
class CollectiveWatch {
public:
    CollectiveWatch(Milliseconds begun, Milliseconds limit) : deadline_(begun + limit) {}

    enum class Verdict { AskAgain, Finished, GiveUp };
    /// What has ended well counts, however late it is seen.
    Verdict take(Collectives::State state, Milliseconds now) const {
        if (state == Collectives::State::Done) return Verdict::Finished;
        if (state == Collectives::State::Failed) return Verdict::GiveUp;
        return now < deadline_ ? Verdict::AskAgain : Verdict::GiveUp;
    }

private:
    Milliseconds deadline_;
};

}  // namespace evaljob
