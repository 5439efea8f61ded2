// IDX, the format of MNIST and its kin: a magic number that states element type and rank, the dimensions, the elements.
// Only unsigned bytes are read. Pure: bytes in, values out.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "api/result.hpp"

namespace evaljob {

struct IdxArray {
    std::vector<std::int64_t> shape;  // the first dimension counts the samples
    std::string_view elements;        // row-major; a view into the bytes that were read

    std::int64_t count() const { return shape.empty() ? 0 : shape.front(); }
};

/// Fails with BadInput when magic, type, rank (1 to 4), dimensions or length are not those of an IDX file of bytes.
Result<IdxArray> read_idx(std::string_view bytes);

}  // namespace evaljob
