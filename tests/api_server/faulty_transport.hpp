// What happens between an operator and a real API server, injected at kube::Transport: what a broken wire does to the
// HTTP client is the business of tests/unit/cluster, and what comes out of it are these answers.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "operator/kube/transport.hpp"

namespace evaljob::test {

using Answer = Result<kube::Response>;
using Stream = std::unique_ptr<kube::ByteStream>;

struct Faults {
    /// Called for the `number`-th write, list, or watch, in place of sending it; null: it is sent.
    std::function<Answer(kube::Transport&, const kube::Request&, int number)> write;
    std::function<Answer(kube::Transport&, const kube::Request&, int number)> list;
    std::function<Result<Stream>(kube::Transport&, const kube::Request&, int number)> watch;
};

class FaultyTransport : public kube::Transport {
public:
    FaultyTransport(kube::Transport& inner, Faults faults) : inner_(inner), faults_(std::move(faults)) {}

    Answer send(const kube::Request& request) override {
        ++sent;
        if (request.verb != kube::Verb::Get) {
            const int number = ++writes;
            return faults_.write ? faults_.write(inner_, request, number) : inner_.send(request);
        }
        if (faults_.list && request.query.contains("limit")) return faults_.list(inner_, request, ++lists);
        return inner_.send(request);
    }
    Result<Stream> open(const kube::Request& request) override {
        const int number = ++watches;
        return faults_.watch ? faults_.watch(inner_, request, number) : inner_.open(request);
    }

    std::atomic<int> sent = 0;
    std::atomic<int> writes = 0;
    std::atomic<int> lists = 0;
    std::atomic<int> watches = 0;

private:
    kube::Transport& inner_;
    Faults faults_;
};

inline Answer refusal(int status, const std::string& reason, int retry_after_seconds = 0) {
    const Json body = {{"kind", "Status"}, {"reason", reason}, {"code", status}, {"message", "so the test wants it"}};
    return kube::Response{status, body.dump(), retry_after_seconds};
}

/// What the inner one says, once; then half of what it says next, and then `last`, or without it a broken connection.
class CutStream : public kube::ByteStream {
public:
    CutStream(Stream inner, std::string last) : inner_(std::move(inner)), last_(std::move(last)) {}

    Result<std::string_view> read() override {
        const int number = ++reads_;
        if (number == 1) return inner_->read();
        if (!last_.empty()) return number == 2 ? std::string_view(last_) : std::string_view();
        if (number > 2) return fail("Unreachable", "cut", true);
        auto bytes = inner_->read();
        if (!bytes) return bytes;
        return bytes->substr(0, (bytes->size() + 1) / 2);
    }
    void cancel() override { inner_->cancel(); }

private:
    Stream inner_;
    std::string last_;
    int reads_ = 0;
};

}  // namespace evaljob::test
