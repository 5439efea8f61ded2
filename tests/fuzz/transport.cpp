// What is read between a server's bytes and its answer: compressed bodies, echoes of keys, URLs and proxies. The first
// line is a key, what stands behind it the text.
#include <algorithm>
#include <string>

#include "api/json.hpp"
#include "evaljob-runner/engine/openai/content_encoding.hpp"
#include "evaljob-runner/engine/openai/destination.hpp"
#include "evaljob-runner/engine/openai/redaction.hpp"
#include "evaljob-runner/engine/openai/url.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;
using namespace evaljob::openai;

namespace {

constexpr std::size_t limit = 100'000;

void check_body(const std::string& bytes) {
    if (const auto body = decode_content("gzip", bytes, limit))
        fuzz::require(body->size() <= limit, "a body is bounded");
    else
        fuzz::require(body.error().reason == "TooLarge" || body.error().reason == "Garbled", "it is said what it is");
    fuzz::require(*decode_content("identity", bytes, limit) == bytes, "a plain body stays as it is");
}

bool may_be_key(const std::string& text) {
    for (const unsigned char c : text)
        if (c <= 0x20 || c >= 0x7f || c == '[') return false;  // "[key]" has a [
    return text.size() >= least_inside_words;
}

void check_echo(const std::string& key, const std::string& text) {
    if (!may_be_key(key)) return;
    Redaction redaction;
    redaction.add(key);
    fuzz::require(redaction.cut(text).find(key) == std::string::npos, "no key is left");
    const auto is_cut = [&](const std::string& echo) { return redaction.cut(echo).find(cut_out) != std::string::npos; };
    fuzz::require(redaction.cut(text + "\n" + key).ends_with(cut_out), "the last bytes are looked at");
    const std::string json = Json(key).dump();
    fuzz::require(is_cut(json), "nor as JSON has it");
    if (key.find('\\') == std::string::npos) fuzz::require(is_cut(Json(json).dump()), "nor as JSON within JSON has it");
    fuzz::require(is_cut(query_text({{"k", key}})), "nor as URLs have it");
    fuzz::require(redaction.is_in_answer(text + key) || key.size() < least_in_answers,
                  "long ones are found in answers");
}

void check_urls(const std::string& text) {
    fuzz::require(percent_decoded(query_text({{"", text}})) == "?=" + text, "a query comes back");
    if (const auto url = parse_url(text)) fuzz::require(!url->host.empty() && !url->port.empty(), "a URL has a place");
    const Environment environment{{"HTTP_PROXY", text}, {"NO_PROXY", text}};
    const auto proxy = proxy_for({false, "10.0.0.1", "80", ""}, environment);
    if (!proxy) fuzz::require(proxy.error().reason == "BadInput", "it is said what it is");
    if (proxy && *proxy) fuzz::require(!(*proxy)->host.empty() && !(*proxy)->port.empty(), "a proxy has a place");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string all(fuzz::text_of(bytes, size));
    const std::size_t line = std::min(all.find('\n'), all.size());
    check_body(all);
    check_echo(all.substr(0, line), line < all.size() ? all.substr(line + 1) : "");
    check_urls(all);
    return 0;
}
