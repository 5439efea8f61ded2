// The API server in memory behind HTTPS: what is on the wire changes nothing of what a caller sees.
#include "tests/api_contract/contract.hpp"

#include <condition_variable>
#include <mutex>

#include "local/memory_api.hpp"
#include "tests/unit/cluster/transport_fixture.hpp"

namespace evaljob::test {
namespace {

std::string decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
    }
    return plain;
}

kube::Request request_of(const Heard& heard) {
    kube::Request request;
    for (const auto& [word, verb] : std::map<std::string, kube::Verb>{{"POST", kube::Verb::Post},
                                                                      {"PUT", kube::Verb::Put},
                                                                      {"PATCH", kube::Verb::Patch},
                                                                      {"DELETE", kube::Verb::Delete}})
        if (heard.verb == word) request.verb = verb;
    std::string_view target = heard.target;
    const auto mark = target.find('?');
    request.path = decoded(target.substr(0, mark));
    target = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    while (!target.empty()) {
        const auto end = target.find('&');
        const auto pair = target.substr(0, end);
        const auto equals = pair.find('=');
        request.query[decoded(pair.substr(0, equals))] = decoded(pair.substr(equals + 1));
        target = end == std::string_view::npos ? "" : target.substr(end + 1);
    }
    request.body = heard.body;
    request.content_type = heard.verb == "PATCH" ? "application/merge-patch+json" : "application/json";
    return request;
}

class ApiContractOverHttps : public TransportTest, public testing::WithParamInterface<ContractRow> {
protected:
    ~ApiContractOverHttps() override {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
        server.reset();
    }

    void answer(Conversation& to, const Heard& heard) {
        const kube::Request request = request_of(heard);
        std::unique_lock lock(mutex_);
        if (request.query.contains("watch")) {
            auto stream = api_.open(request);
            if (stream) return watch(to, **stream, lock);
            const Json status = {{"kind", "Status"}, {"reason", stream.error().reason}};
            lock.unlock();
            return to.reply(stream.error().reason == "NotFound" ? 404 : 400, status.dump());
        }
        const auto response = api_.send(request);
        lock.unlock();
        changed_.notify_all();
        to.reply(response->status, response->body);
    }

private:
    void watch(Conversation& to, kube::ByteStream& stream, std::unique_lock<std::mutex>& lock) {
        to.begin_chunks();
        while (!ending_ && to.is_open()) {
            const auto bytes = stream.read();
            if (!bytes) break;
            if (!bytes->empty())
                to.chunk(*bytes);
            else if (stream.pending())
                changed_.wait(lock);
            else
                return to.end_chunks();
        }
        to.close();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool ending_ = false;
    local::MemoryApi api_{{}};
};

TEST_P(ApiContractOverHttps, Holds) {
    serve([this](Conversation& to, const Heard& heard) { answer(to, heard); });
    connect();
    Contract contract(*transport, "default", "other");
    GetParam().body(contract);
}

INSTANTIATE_TEST_SUITE_P(Memory, ApiContractOverHttps, testing::ValuesIn(contract_rows()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
