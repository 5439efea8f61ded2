// Forms groups for collective operations among the processes that are present. Nobody waits for who is late: those who
// ask at about the same time are one group, and who asks later is in another one, or alone. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/milliseconds.hpp"

namespace evaljob {

using SessionId = std::uint64_t;

class Gathering {
public:
    /// A group is formed at once when `everyone` asks, and else when the first has waited for `window`.
    explicit Gathering(std::size_t everyone, Milliseconds window = 3'000) : everyone_(everyone), window_(window) {}

    void join(SessionId session, const Join& join, Milliseconds now);
    void leave(SessionId session) { waiting_.erase(session); }
    /// What to send, if it is time.
    std::vector<std::pair<SessionId, Group>> form(Milliseconds now);

private:
    std::size_t everyone_;
    Milliseconds window_;
    std::map<SessionId, std::string> waiting_;  // → address
    Milliseconds since_ = 0;                    // the first of them asked
    std::uint64_t generation_ = 0;
};

}  // namespace evaljob
