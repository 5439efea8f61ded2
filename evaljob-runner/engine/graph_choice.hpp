// Whether batches of one size are computed by replaying a graph of what they make a GPU do: tried on the batches
// themselves. Pure.
#pragma once

#include <string>
#include <vector>

namespace evaljob {

enum class GraphRun { Eager, Record, Replay };

/// Of batches of one size: some are computed to warm up, some more to take their time, one is recorded, some are
/// replayed to take their time, and then whichever was faster.
class GraphChoice {
public:
    static constexpr int warm_up = 3;  // libraries choose their ways, and load code, when they are first called
    static constexpr int timed = 5;

    /// How the next batch is computed.
    GraphRun next() const;
    /// True when ran() needs its time.
    bool times() const;

    /// A batch was computed as next() says; Record: and there is a graph.
    void ran(double milliseconds);
    /// There is no graph, or it is not to be used any more.
    void give_up(std::string why);

    /// What has been decided, for a person; empty: nothing yet.
    const std::string& verdict() const { return verdict_; }

private:
    int runs_ = 0;
    bool recorded_ = false;
    std::vector<double> eager_;
    std::vector<double> replayed_;
    GraphRun decided_ = GraphRun::Eager;  // when there is a verdict
    std::string verdict_;
};

}  // namespace evaljob
