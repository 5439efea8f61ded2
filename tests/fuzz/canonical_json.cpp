// Texts that stand for their values: records and manifests, as somebody may have damaged them. What is walked over
// without the parser must be what the parser would say.
#include <string>

#include "api/canonical_json.hpp"
#include "api/json_text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

std::string written(const Json& value) {
    std::string text;
    append_json(text, value);
    return text;
}

void check_value(std::string_view text) {
    const auto canonical = CanonicalJson::from_text(text);
    const Json parsed = parse_json(text);
    const bool expected = !parsed.is_discarded() && written(parsed) == text;
    fuzz::require(canonical.has_value() == expected, "a text is canonical when it is what its value is written as");
    if (!canonical) return;
    fuzz::require(canonical->text() == text && canonical->value() == parsed, "it stands for its value");
}

void check_read(std::string_view item) {
    Json value;
    if (read_item(item, value)) fuzz::require(written(value) == item, "an item that is read is canonical");
    std::string string;
    if (read_item(item, string)) fuzz::require(written(string) == item, "so is one that is read as a string");
    std::uint32_t number = 0;
    if (read_item(item, number)) fuzz::require(std::to_string(number) == item, "or as a number");
}

void check_items(std::string_view text) {
    ArrayItems items(text);
    std::string again;
    std::size_t count = 0;
    while (const auto item = items.next()) {
        again += count++ == 0 ? "[" : ",";
        again += *item;
        check_read(*item);
    }
    fuzz::require(!items.next(), "behind the last item there is nothing");
    const auto canonical = CanonicalJson::from_text(text);
    const bool is_array = canonical && canonical->value().is_array();
    if (is_array) fuzz::require(items.complete(), "the items of an array are all found");
    if (items.complete()) fuzz::require((count == 0 ? "[" : again) + "]" == text, "and all of it is items");
    if (is_array) fuzz::require(canonical->value().size() == count, "each once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    check_value(text);
    check_read(text);
    check_items(text);
    return 0;
}
