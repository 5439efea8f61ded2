#include "operator/kube/source.hpp"

#include <utility>

namespace evaljob::kube {
namespace {

constexpr int most_steps_a_turn = 1000;  // so that one busy kind does not keep the others from their turn

}  // namespace

Source::Source(Transport& transport, Reflector reflector, Clock clock, std::function<void(const StoreChange&)> change)
    : transport_(transport), reflector_(std::move(reflector)), clock_(std::move(clock)), change_(std::move(change)) {}

Source::~Source() {
    if (stream_) stream_->cancel();
}

bool Source::turn() {
    bool happened = false;
    if (!std::exchange(begun_, true)) take(Begin{});
    for (int i = 0; i < most_steps_a_turn; ++i) {
        if (std::holds_alternative<Wait>(next_)) {
            if (clock_() < *due_) return happened;
            due_.reset();
            take(Waited{});
        } else if (auto* send = std::get_if<SendList>(&next_)) {
            list(Request(send->request));
        } else if (auto* watch = std::get_if<OpenWatch>(&next_)) {
            open(Request(watch->request));
        } else if (!read()) {
            return happened;
        }
        happened = true;
    }
    return happened;
}

void Source::take(ReflectorInput input) {
    const Milliseconds now = clock_();
    ReflectorStep step = reflector_.step(std::move(input), now);
    for (const StoreChange& change : step.changes) change_(change);
    next_ = std::move(step.next);
    if (const auto* wait = std::get_if<Wait>(&next_)) due_ = now + wait->time;
    if (!std::holds_alternative<ReadOn>(next_) && stream_) {
        stream_->cancel();
        stream_.reset();
    }
}

void Source::list(const Request& request) {
    const auto response = transport_.send(request);
    auto page = response ? read_response(*response) : Result<Json>(tl::unexpected(response.error()));
    if (page)
        take(Listed{std::move(*page)});
    else
        take(ListFailed{page.error()});
}

void Source::open(const Request& request) {
    auto stream = transport_.open(request);
    if (!stream) return take(WatchFailed{stream.error()});
    stream_ = std::move(*stream);
    decoder_ = WatchDecoder();
    take(WatchOpened{});
}

bool Source::read() {
    const auto bytes = stream_->read();
    if (!bytes) {
        take(StreamBroke{bytes.error()});
        return true;
    }
    if (!bytes->empty()) {
        take_bytes(*bytes);
        return true;
    }
    if (stream_->pending()) return false;
    if (decoder_.at_boundary())
        take(StreamEnded{});
    else
        take(StreamBroke{{"Cut", "the watch ended inside a line", true}});
    return true;
}

void Source::take_bytes(std::string_view bytes) {
    auto events = decoder_.feed(bytes);
    if (!events) return take(StreamBroke{events.error()});
    for (WatchEvent& event : *events) {
        take(Arrived{std::move(event)});
        if (!std::holds_alternative<ReadOn>(next_)) return;  // an error event: what follows it does not count
    }
}

}  // namespace evaljob::kube
