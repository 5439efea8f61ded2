// A Communicator of a library's collectives, each with a deadline.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "evaljob-runner/communicate/collective.hpp"
#include "evaljob-runner/communicate/communicator.hpp"

namespace evaljob {

/// How time goes by between two questions to the library.
struct Patience {
    Milliseconds limit = 20'000;           // of one operation
    std::function<Milliseconds()> now;     // steady
    std::function<void(int round)> pause;  // before it is asked the next time
};

/// Of what was begun. Fails with Unavailable when it fails or its time is over; it is the caller's to abort it.
Result<void> await_end(Collectives& library, const Patience& patience, const char* what);

class BoundedCommunicator : public Communicator {
public:
    BoundedCommunicator(std::unique_ptr<Collectives> library, Patience patience)
        : library_(std::move(library)), patience_(std::move(patience)) {}

    std::size_t size() const override { return library_->size(); }
    std::size_t self() const override { return library_->self(); }
    Result<void> broadcast(char* bytes, std::size_t count) override;
    Result<std::vector<std::uint64_t>> all_gather(std::uint64_t value) override;
    void abort() override { give_up("it was given up"); }

private:
    Result<void> complete(const Result<void>& begun, const char* what);
    tl::unexpected<Error> give_up(const std::string& why);

    std::unique_ptr<Collectives> library_;
    Patience patience_;
    std::optional<Error> broken_;
};

}  // namespace evaljob
