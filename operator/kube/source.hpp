// One reflector driven over a Transport. Thread rule: one thread. It never waits for a time: a back-off that has not
// passed ends the turn, and so does a stream with nothing to read, if the transport's streams can say so.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "operator/kube/reflector.hpp"
#include "operator/kube/transport.hpp"

namespace evaljob::kube {

class Source {
public:
    using Clock = std::function<Milliseconds()>;

    /// `change` is called for each change, in order.
    Source(Transport& transport, Reflector reflector, Clock clock, std::function<void(const StoreChange&)> change);
    ~Source();

    /// Goes on as far as it can; true when anything happened.
    bool turn();

    bool synced() const { return reflector_.synced(); }

    /// When the present back-off ends; nothing: it is the stream that is waited for.
    std::optional<Milliseconds> due() const { return due_; }

private:
    void take(ReflectorInput input);
    void list(const Request& request);
    void open(const Request& request);
    bool read();
    void take_bytes(std::string_view bytes);

    Transport& transport_;
    Reflector reflector_;
    Clock clock_;
    std::function<void(const StoreChange&)> change_;
    ReflectorNext next_ = Wait{};
    std::optional<Milliseconds> due_;
    bool begun_ = false;
    std::unique_ptr<ByteStream> stream_;
    WatchDecoder decoder_;
};

}  // namespace evaljob::kube
