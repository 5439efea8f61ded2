#include "api/record.hpp"

#include <limits>
#include <utility>

#include "api/json_text.hpp"

namespace evaljob {

std::string text_of(LeaseNumber number) { return std::to_string(number.epoch) + "." + std::to_string(number.counter); }

// An array, not an object: the keys would be most of the bytes.
// [dataset, id, repeat, epoch, counter, prediction, detail, error]
std::string encode_record(const Record& r) {
    Json fields = Json::array({r.dataset, r.id, r.repeat, r.lease.epoch, r.lease.counter, r.prediction, r.detail});
    if (r.failed()) fields.push_back(r.error);
    return fields.dump(-1, ' ', false, Json::error_handler_t::replace);
}

namespace {

template <class T>
bool take_unsigned(const Json& value, T& target) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<T>::max()) return false;
    target = value.get<T>();
    return true;
}

}  // namespace

Result<Record> decode_record(std::string_view bytes) {
    Json fields = parse_json(bytes);
    if (!fields.is_array() || fields.size() < 7 || fields.size() > 8) {
        return fail("Damaged", "a record is not an array of 7 or 8 fields");
    }
    Record r;
    if (!take_unsigned(fields[0], r.dataset) || !fields[1].is_string() || !take_unsigned(fields[2], r.repeat) ||
        !take_unsigned(fields[3], r.lease.epoch) || !take_unsigned(fields[4], r.lease.counter) ||
        !fields[6].is_object() || (fields.size() == 8 && !fields[7].is_string())) {
        return fail("Damaged", "a record's field is of the wrong type");
    }
    r.id = fields[1].get<std::string>();
    r.prediction = std::move(fields[5]);
    r.detail = std::move(fields[6]);
    if (fields.size() == 8) r.error = fields[7].get<std::string>();
    return r;
}

}  // namespace evaljob
