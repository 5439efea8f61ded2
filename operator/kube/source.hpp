// One reflector driven over a Transport. Thread rule: one thread; nothing waits: a stream with nothing to read, or a
// back-off that has not passed, ends the turn.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "operator/kube/reflector.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::kube {

class Source {
public:
    /// `change` is called for each change, in order.
    Source(Transport& transport, Reflector reflector, std::function<void(const StoreChange&)> change);
    ~Source();

    /// Goes on as far as it can without waiting; true when anything happened.
    bool turn(Milliseconds now);

    bool synced() const { return reflector_.synced(); }

    /// When the present back-off ends; nothing: it is the stream that is waited for.
    std::optional<Milliseconds> due() const { return due_; }

private:
    void take(ReflectorInput input, Milliseconds now);
    void list(const Request& request, Milliseconds now);
    void open(const Request& request, Milliseconds now);
    bool read(Milliseconds now);
    void take_bytes(std::string_view bytes, Milliseconds now);

    Transport& transport_;
    Reflector reflector_;
    std::function<void(const StoreChange&)> change_;
    ReflectorNext next_ = Wait{};
    std::optional<Milliseconds> due_;
    bool begun_ = false;
    std::unique_ptr<ByteStream> stream_;
    WatchDecoder decoder_;
};

}  // namespace evaljob::kube
