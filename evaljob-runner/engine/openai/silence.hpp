// Requests that nothing will come of: a server may stop without closing its connections. Pure: times come from outside.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace evaljob::openai {

struct SilenceBounds {
    using Span = std::chrono::milliseconds;

    // When nobody listens at the port any more. A server that ends well answers what it has in hand before it goes.
    int times_longest = 4;  // the longest answer so far
    Span least{10'000};
    Span before_any_answer{30'000};

    // When others are answered meanwhile. That alone says little, for the longest answers come last.
    int times_longest_beside = 10;  // twice as many after each time that requests were ended so
    Span least_beside{30'000};
    int answers_beside = 8;  // to requests that were sent later
};

class Silence {
public:
    using Moment = std::chrono::milliseconds;  // since whenever
    using Id = std::uint64_t;

    explicit Silence(SilenceBounds bounds = {}) : bounds_(bounds) {}

    Id asked(Moment now);
    /// A part of its answer is there.
    void heard(Id id, Moment now);
    void answered(Id id, Moment now);
    /// It ended otherwise.
    void ended(Id id) { open_.erase(id); }

    /// Whether it is worth a look at the port.
    bool is_suspicious(Moment now) const;

    struct Hopeless {
        Id id = 0;
        Moment silent{};
    };
    /// Those that are to be ended; they are forgotten here.
    std::vector<Hopeless> hopeless(Moment now, bool port_refuses);

private:
    struct Open {
        Moment asked{};
        Moment heard{};
        int answers_beside = 0;
    };

    Moment patience_with_closed_port() const;
    bool is_passed_over(const Open& open, Moment now) const;

    SilenceBounds bounds_;
    Id next_ = 1;
    std::map<Id, Open> open_;
    std::optional<Moment> longest_;
    int doublings_ = 0;
};

}  // namespace evaljob::openai
