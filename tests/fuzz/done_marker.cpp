// Done markers. A first byte of 1: the object that follows is given the digest that it has. Otherwise the input is the
// file itself.
#include "evaljob-runner/shard/done_marker.hpp"

#include "api/digest.hpp"
#include "api/json_text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

std::string with_digest(std::string_view text) {
    Json object = parse_json(text);
    if (!object.is_object()) return std::string(text);
    object.erase("digest");
    object["digest"] = sha256_hex(object.dump());
    return object.dump();
}

void check_marker(std::string_view bytes) {
    const auto marker = decode_done_marker(bytes);
    if (!marker) return fuzz::require(marker.error().reason == "Damaged", "a refused marker is damaged");
    for (const DoneShard& shard : marker->shards) {
        fuzz::require(!shard.path.empty() && shard.path.front() != '/', "a path is relative");
        fuzz::require(("/" + shard.path + "/").find("/../") == std::string::npos, "a path stays in the folder");
    }
    const std::string text = encode_done_marker(*marker);
    const auto again = decode_done_marker(text);
    fuzz::require(again.has_value(), "a marker that was read and written reads again");
    fuzz::require(encode_done_marker(*again) == text, "a marker that was read and written is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view input = fuzz::text_of(bytes, size);
    if (size > 0 && bytes[0] == 1)
        check_marker(with_digest(input.substr(1)));
    else
        check_marker(input);
    return 0;
}
