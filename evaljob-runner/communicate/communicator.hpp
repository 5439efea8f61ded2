// What the processes of a group say to each other all at once. Optional by design: a group is formed among those that
// are present, nobody waits for late ones, and no result depends on it. docs/decisions/0022-who-reads-the-model.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/result.hpp"

namespace evaljob {

/// Every call takes part in one that all members make, and ends within a deadline. After one that failed with
/// Unavailable all others fail too: a group that has lost a member is of no further use. Thread rule: one thread.
class Communicator {
public:
    virtual ~Communicator() = default;
    virtual std::size_t size() const = 0;
    virtual std::size_t self() const = 0;  // below size()
    /// So many bytes of member 0 to all.
    virtual Result<void> broadcast(char* bytes, std::size_t count) = 0;
    /// Each member's value, in the order of the members.
    virtual Result<std::vector<std::uint64_t>> all_gather(std::uint64_t value) = 0;
    /// The others' calls fail, soon if they can be told.
    virtual void abort() = 0;
};

/// Backend None, and a group of one.
class Alone : public Communicator {
public:
    std::size_t size() const override { return 1; }
    std::size_t self() const override { return 0; }
    Result<void> broadcast(char* /*bytes*/, std::size_t /*count*/) override { return {}; }
    Result<std::vector<std::uint64_t>> all_gather(std::uint64_t value) override { return std::vector{value}; }
    void abort() override {}
};

}  // namespace evaljob
