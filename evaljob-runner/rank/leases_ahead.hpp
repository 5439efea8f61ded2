// How many leases a rank holds beside those that its engine computes. One, prepared, is enough where a batch takes
// longer than it takes to replace one: an fsync, a round trip to the coordinator, the preparing. Where it does not, the
// rank would wait; so it holds more, as many as it takes that one is at hand. Pure. docs/decisions/0029
#pragma once

#include <algorithm>
#include <cstddef>

#include "api/assert.hpp"

namespace evaljob {

class LeasesAhead {
public:
    static constexpr std::size_t most = 7;  // what a kill may cost beside the batches that are computed

    /// The engine has room for a batch while so many leases are at hand, and so many that it has computed are not yet
    /// replaced.
    void engine_has_room(std::size_t at_hand, std::size_t unreplaced) {
        if (at_hand == 0 && unreplaced > 0) {
            leases_ = std::min(leases_ + 1, most);
            enough_for_ = 0;
        } else if (at_hand > 1 && leases_ > 1) {
            if (++enough_for_ < patience) return;
            --leases_;
            enough_for_ = 0;
        } else {
            enough_for_ = 0;
        }
    }

    std::size_t leases() const {
        EVALJOB_ASSERT(leases_ >= 1 && leases_ <= most, "a rank prepares a batch, and a kill costs a bounded number");
        return leases_;
    }

private:
    static constexpr std::size_t patience = 16;  // batches: to find that one less is too few costs a wait

    std::size_t leases_ = 1;
    std::size_t enough_for_ = 0;  // batches in a row that one less would have done for
};

}  // namespace evaljob
