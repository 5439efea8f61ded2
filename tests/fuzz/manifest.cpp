// Manifests. A first byte of 1: the lines that follow are given the identity and the counts that they have, for no
// fuzzer guesses a digest. Otherwise the input is the file itself.
#include <string>
#include <vector>

#include "api/digest.hpp"
#include "api/json_text.hpp"
#include "api/manifest.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

std::string line_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

/// As docs/formats.md has it: the first line with config, format and repeats alone, then all other lines.
std::string with_identity(std::string_view text) {
    const std::size_t first = std::min(text.size(), text.find('\n'));
    Json header = parse_json(text.substr(0, first));
    if (!header.is_object()) return std::string(text);
    text.remove_prefix(std::min(text.size(), first + 1));
    Sha256 digest;
    Json hashed = Json::object();
    for (const char* key : {"config", "format", "repeats"}) hashed[key] = header.value(key, Json());
    digest.update(line_of(hashed));
    std::string rest;
    while (!text.empty()) {
        const std::size_t end = std::min(text.size(), text.find('\n'));
        const Json line = parse_json(text.substr(0, end));
        rest += line.is_discarded() ? std::string(text.substr(0, end)) + "\n" : line_of(line);
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    digest.update(rest);
    header["identity"] = digest.hex();
    return line_of(header) + rest;
}

void check_batches(const Manifest& manifest) {
    std::vector<int> seen(manifest.items());
    for (const auto& batch : manifest.batches)
        for (const auto item : batch.items) ++seen.at(item);
    for (const int times : seen) fuzz::require(times == 1, "every item is in one batch");
}

void check_manifest(std::string_view bytes) {
    const auto decoded = decode_manifest(bytes);
    if (!decoded) return fuzz::require(decoded.error().message.starts_with("manifest"), "a refusal names the file");
    check_batches(decoded->manifest);
    const std::string text = encode_manifest(decoded->manifest);
    const auto again = decode_manifest(text);
    fuzz::require(again.has_value(), "a manifest that was read and written reads again");
    fuzz::require(encode_manifest(again->manifest) == text, "a manifest that was read and written is the same");
    fuzz::require(again->identity == decoded->identity, "it is the same evaluation");
    fuzz::require(identity_of(again->manifest) == again->identity, "its identity is that of its content");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view input = fuzz::text_of(bytes, size);
    if (size > 0 && bytes[0] == 1)
        check_manifest(with_identity(input.substr(1)));
    else
        check_manifest(input);
    return 0;
}
