#include "evaljob-runner/communicate/spread.hpp"

#include <algorithm>
#include <string>

#include "api/digest.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t piece = std::uint64_t{16} << 20U;  // read and sent within one deadline

/// The same for all who mean the same.
std::uint64_t fingerprint(const SpreadOf& of) {
    return std::stoull(sha256_hex(of.what + " " + std::to_string(of.size)).substr(0, 16), nullptr, 16);
}

Result<void> all_mean_the_same(Communicator& group, const SpreadOf& of) {
    const std::uint64_t mine = fingerprint(of);
    const auto all = group.all_gather(mine);
    if (!all) return tl::unexpected(all.error());
    const auto other = std::find_if(all->begin(), all->end(), [&](std::uint64_t value) { return value != mine; });
    if (other == all->end()) return {};
    return fail("Unavailable", "member " + std::to_string(other - all->begin()) +
                                   " of the group sees another model or evaluation than this process");
}

}  // namespace

Result<void> spread(Communicator& group, const SpreadOf& of, char* to,
                    const std::function<Result<void>(std::uint64_t offset, char* to, std::size_t count)>& read) {
    if (auto same = all_mean_the_same(group, of); !same) return same;
    for (std::uint64_t offset = 0; offset < of.size; offset += piece) {
        const auto count = static_cast<std::size_t>(std::min(piece, of.size - offset));
        if (group.self() == 0) {
            if (auto got = read(offset, to + offset, count); !got) {
                group.abort();
                return got;
            }
        }
        if (auto sent = group.broadcast(to + offset, count); !sent) return sent;
    }
    // Who has sent stays until all have received: a connection that is closed may take bytes along that are on their
    // way.
    (void)group.all_gather(of.size);
    return {};
}

}  // namespace evaljob
