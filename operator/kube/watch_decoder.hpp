// The bytes of a watch → its events. A line may be cut anywhere, inside a character as well. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob::kube {

struct WatchEvent {
    enum class Type { Added, Modified, Deleted, Bookmark, Error };
    Type type = Type::Added;
    Json object;  // of Error: a metav1.Status
};

class WatchDecoder {
public:
    explicit WatchDecoder(std::size_t most_line_bytes = std::size_t{8} << 20U) : most_line_bytes_(most_line_bytes) {}

    /// The events that end in `bytes`, in order. Fails with TooLarge or BadEvent; events in front of the bad one are
    /// lost then, and the decoder is spent: the watch is to be opened again, from the last event that was taken.
    Result<std::vector<WatchEvent>> feed(std::string_view bytes);

    /// True between lines: a stream that ends elsewhere was cut.
    bool at_boundary() const { return line_.empty(); }

private:
    std::size_t most_line_bytes_;
    std::string line_;  // the beginning of a line whose end has not arrived
};

}  // namespace evaljob::kube
