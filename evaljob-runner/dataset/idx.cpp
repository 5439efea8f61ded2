#include "evaljob-runner/dataset/idx.hpp"

namespace evaljob {

namespace {

constexpr unsigned char type_unsigned_byte = 0x08;
constexpr std::size_t max_rank = 4;
constexpr std::int64_t max_elements = std::int64_t{1} << 40;

std::int64_t read_u32_big_endian(std::string_view bytes) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
    return value;
}

}  // namespace

Result<IdxArray> read_idx(std::string_view bytes) {
    if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0)
        return fail("BadInput", "is no IDX file: its first two bytes are not 0");
    const auto type = static_cast<unsigned char>(bytes[2]);
    const auto rank = static_cast<std::size_t>(static_cast<unsigned char>(bytes[3]));
    if (type != type_unsigned_byte) {
        return fail("BadInput",
                    "holds IDX elements of type " + std::to_string(type) + "; only unsigned bytes (8) are read");
    }
    if (rank < 1 || rank > max_rank) {
        return fail("BadInput", "has " + std::to_string(rank) + " dimensions; 1 to 4 are read");
    }
    const std::size_t header = 4 + 4 * rank;
    if (bytes.size() < header) return fail("BadInput", "is cut in its header");
    IdxArray array;
    std::int64_t elements = 1;
    for (std::size_t i = 0; i < rank; ++i) {
        array.shape.push_back(read_u32_big_endian(bytes.substr(4 + 4 * i)));
        // A first dimension of 0 is a dataset without samples, which its reader refuses; samples of no bytes are none.
        if (i > 0 && array.shape.back() == 0)
            return fail("BadInput", "states dimension " + std::to_string(i) + " as 0: its samples would be empty");
        if (array.shape.back() > 0 && elements > max_elements / array.shape.back())
            return fail("BadInput", "states absurd dimensions");
        elements *= array.shape.back();
    }
    array.elements = bytes.substr(header);
    if (static_cast<std::int64_t>(array.elements.size()) != elements) {
        return fail("BadInput", "has " + std::to_string(array.elements.size()) + " elements, its header states " +
                                    std::to_string(elements));
    }
    return array;
}

}  // namespace evaljob
