// The bytes of a watch: the first byte says how they are cut.
#include "operator/kube/watch_decoder.hpp"

#include <algorithm>

#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

constexpr std::size_t longest_line = 4096;

struct Read {
    std::vector<Json> objects;
    std::string failure;
};

Read read_in_parts(std::string_view bytes, std::size_t part) {
    kube::WatchDecoder decoder(longest_line);
    Read read;
    while (!bytes.empty()) {
        auto events = decoder.feed(bytes.substr(0, part));
        bytes.remove_prefix(std::min(part, bytes.size()));
        if (!events) {
            read.failure = events.error().reason;
            return read;
        }
        for (auto& event : *events) read.objects.push_back(std::move(event.object));
    }
    return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input = fuzz::text_of(bytes + 1, size - 1);
    const Read whole = read_in_parts(input, std::max<std::size_t>(1, input.size()));
    const Read cut = read_in_parts(input, 1 + bytes[0] % 16);
    // Events in front of a bad one are lost with the bytes that it came in, and no others.
    fuzz::require(whole.failure == cut.failure, "the cut decides nothing");
    fuzz::require(cut.objects.size() >= whole.objects.size(), "no event is lost to a cut");
    fuzz::require(!whole.failure.empty() || whole.objects == cut.objects,
                  "the events are the same however they are cut");
    return 0;
}
