#include "api/record.hpp"

#include <utility>

namespace evaljob {

std::string text_of(LeaseNumber number) { return std::to_string(number.epoch) + "." + std::to_string(number.counter); }

// An array, not an object: the keys would be most of the bytes.
// [dataset, id, repeat, epoch, counter, prediction, detail, error]
std::string encode_record(const Record& r) {
    std::string text = "[" + std::to_string(r.dataset) + ",";
    append_json_string(text, r.id);
    for (const std::uint64_t number : {std::uint64_t{r.repeat}, std::uint64_t{r.lease.epoch}, r.lease.counter})
        text += "," + std::to_string(number);
    text += "," + r.prediction.text() + "," + r.detail.text();
    if (r.failed()) append_json_string(text += ",", r.error);
    return text + "]";
}

namespace {

bool read_value(const std::optional<std::string_view>& item, CanonicalJson& value) {
    auto read = item ? CanonicalJson::from_text(*item) : std::nullopt;
    if (read) value = std::move(*read);
    return read.has_value();
}

}  // namespace

Result<Record> decode_record(std::string_view bytes) {
    ArrayItems items(bytes);
    Record r;
    const bool whole = read_item(items.next(), r.dataset) && read_item(items.next(), r.id) &&
                       read_item(items.next(), r.repeat) && read_item(items.next(), r.lease.epoch) &&
                       read_item(items.next(), r.lease.counter) && read_value(items.next(), r.prediction) &&
                       read_value(items.next(), r.detail) && r.detail.text().starts_with('{');
    if (!whole || (!items.complete() && !read_item(items.next(), r.error)) || !items.complete())
        return fail("Damaged", "a record is not [dataset, id, repeat, epoch, counter, prediction, detail, error]");
    return r;
}

}  // namespace evaljob
