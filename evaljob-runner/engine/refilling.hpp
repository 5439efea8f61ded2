// Which row of a network computes which sample of a batch, when there are more samples than rows: one whose text has
// ended gets the next sample. docs/decisions/0028-refilling-within-a-batch.md says why within a batch. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace evaljob {

class Refilling {
public:
    /// `samples` of them, by their place in the batch; the rows, at most so many, begin with the first ones.
    Refilling(std::size_t samples, std::size_t rows);

    /// By row: the sample that it computes; one that has ended where none was left, or where it waits to be refilled.
    const std::vector<std::size_t>& samples() const { return samples_; }

    /// Rows that get their next sample now, in order; none: all go on. To read prompts costs much the same for one as
    /// for several, so it is put off until an eighth of the rows, or one for each sample that is left, has ended.
    std::vector<std::size_t> refill(const std::function<bool(std::size_t sample)>& ended);

private:
    std::vector<std::size_t> samples_;
    std::size_t next_;
    std::size_t all_;
};

}  // namespace evaljob
