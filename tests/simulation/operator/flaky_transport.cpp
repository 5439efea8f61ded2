#include "tests/simulation/operator/flaky_transport.hpp"

#include <utility>

#include "api/json.hpp"
#include "local/metav1.hpp"

namespace evaljob::simulation {

namespace {

constexpr std::size_t most_old_lists = 8;

kube::Response refusal(int code, const char* reason) { return local::failure_response({code, reason, "simulated"}); }

bool is_write(const kube::Request& request) { return request.verb != kube::Verb::Get; }

bool is_list(const kube::Request& request) {
    if (is_write(request)) return false;
    for (const char* plural : {"/pods", "/services", "/jobs", "/evaljobs"})
        if (request.path.ends_with(plural)) return true;
    return false;
}

std::string text_of(const kube::Request& request) {
    constexpr const char* verbs[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    return std::string(verbs[static_cast<int>(request.verb)]) + " " + request.path;
}

}  // namespace

class FlakyStream : public kube::ByteStream {
public:
    FlakyStream(std::unique_ptr<kube::ByteStream> inner, FlakyTransport& transport)
        : inner_(std::move(inner)), transport_(transport), expiries_(transport.expiries_) {}

    Result<std::string_view> read() override {
        out_.clear();
        if (transport_.surroundings_.clock() < held_until_) return std::string_view();
        if (expiries_ != transport_.expiries_ || transport_.faults_.strikes(Fault::WatchExpired, 0.2)) return expire();
        auto bytes = inner_->read();
        if (!bytes) return bytes;
        lines_ += *bytes;
        if (!lines_.empty() && transport_.faults_.strikes(Fault::WatchCut)) return cut();
        std::size_t start = 0;
        for (auto end = lines_.find('\n'); end != std::string::npos; end = lines_.find('\n', start)) {
            pass(lines_.substr(start, end + 1 - start));
            start = end + 1;
        }
        lines_.erase(0, start);
        return std::string_view(out_);
    }
    bool pending() const override { return !ended_ && inner_->pending(); }
    void cancel() override {
        ended_ = true;
        inner_->cancel();
    }

private:
    Result<std::string_view> expire() {
        ended_ = true;
        const Json status = local::failure_status({410, "Expired", "too old resource version"});
        out_ = Json{{"type", "ERROR"}, {"object", status}}.dump() + "\n";
        return std::string_view(out_);
    }
    Result<std::string_view> cut() {
        if (std::exchange(cutting_, true)) return fail("ConnectionReset", "simulated", true);
        out_ = lines_.substr(0, lines_.size() / 2);
        return std::string_view(out_);
    }
    void pass(const std::string& line) {
        Faults& faults = transport_.faults_;
        if (faults.strikes(Fault::EventsDelayed))
            held_until_ = transport_.surroundings_.clock() + transport_.random_.between(1, 60);
        if (faults.strikes(Fault::EventDropped)) return;
        out_ += line;
        if (faults.strikes(Fault::EventRepeated)) out_ += line;
    }

    std::unique_ptr<kube::ByteStream> inner_;
    FlakyTransport& transport_;
    std::uint64_t expiries_;
    std::string lines_;
    std::string out_;
    std::int64_t held_until_ = 0;
    bool ended_ = false;
    bool cutting_ = false;
};

Result<kube::Response> FlakyTransport::send(const kube::Request& request) {
    surroundings_.tell(text_of(request));
    if (faults_.strikes(Fault::Interleaved)) surroundings_.meanwhile();
    if (is_write(request) && faults_.strikes(Fault::OperatorKilled)) throw OperatorDied();
    if (faults_.strikes(Fault::TooManyRequests)) return refusal(429, "TooManyRequests");
    if (faults_.strikes(Fault::ServerError)) return refusal(random_.chance(0.5) ? 500 : 503, "InternalError");
    if (is_list(request)) return list(request);
    if (is_write(request) && faults_.strikes(Fault::Conflict)) return refusal(409, "Conflict");
    auto answer = api_.send(request);
    if (!is_write(request)) return answer;
    if (faults_.strikes(Fault::OperatorKilled)) throw OperatorDied();
    if (faults_.strikes(Fault::TimeoutAfterWrite)) return refusal(504, "Timeout");
    return answer;
}

Result<kube::Response> FlakyTransport::list(const kube::Request& request) {
    if (faults_.strikes(Fault::ListExpired)) return refusal(410, "Expired");
    listed_[request.path] = expiries_;
    auto& old = old_lists_[request.path];
    const bool whole = !request.query.contains("continue");
    if (whole && !old.empty() && faults_.strikes(Fault::StaleList, 3)) return old[random_.below(old.size())];
    auto answer = api_.send(request);
    const bool last_page = answer && answer->status == 200 && answer->body.find("\"continue\":\"") == std::string::npos;
    if (whole && last_page) {
        old.push_back(*answer);
        if (old.size() > most_old_lists) old.erase(old.begin());
    }
    return answer;
}

Result<std::unique_ptr<kube::ByteStream>> FlakyTransport::open(const kube::Request& request) {
    if (faults_.strikes(Fault::WatchExpired) || listed_[request.path] != expiries_)
        return fail("Expired", "simulated", true);
    if (faults_.strikes(Fault::ServerError)) return fail("ServiceUnavailable", "simulated", true);
    auto stream = api_.open(request);
    if (!stream) return stream;
    return std::make_unique<FlakyStream>(std::move(*stream), *this);
}

}  // namespace evaljob::simulation
