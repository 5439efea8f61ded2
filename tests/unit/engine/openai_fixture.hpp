// Engine OpenAI with a server, on real sockets, that does what a sample's question asks for.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/engine/openai/openai.hpp"
#include "tests/unit/cluster/bad_server.hpp"
#include "tests/unit/engine/outcomes.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {

inline constexpr const char* models = R"({"object":"list","data":[{"id":"tiny","object":"model","owned_by":"test"}]})";

inline std::string completion(const std::string& content) {  // as it stands between the quotes
    return R"({"choices":[{"message":{"role":"assistant","content":")" + content + R"("},"finish_reason":"stop"}]})";
}

class OpenAiTest : public testing::Test {
protected:
    OpenAiTest() {
        dataset_.name = "d";
        dataset_.format = DatasetFormat::JSONL;
        dataset_.path = folder_ / "d.jsonl";
        dataset_.task.type = TaskType::Generation;
        eval_.model.format = ModelFormat::OpenAI;
        eval_.model.name = "tiny";
        listen();
    }

    void TearDown() override { server_.reset(); }  // while all that its threads use is there

    void listen(ServerOptions options = {}, bool plain = true) {
        options.plain = plain;
        server_ = std::make_unique<BadServer>(
            options, [this](Conversation& conversation, const Heard& heard) { serve(conversation, heard); });
        eval_.model.url = server_->url() + "/v1";
    }

    Result<std::unique_ptr<Engine>> start() {
        eval_.datasets = {dataset_};
        const auto waits = [this](const std::string& what) {
            const std::lock_guard lock(mutex_);
            waited_for_.push_back(what);
        };
        return start_openai(eval_, folder_.path(), environment_, waits, {std::chrono::milliseconds(2)});
    }

    EngineBatch batch(std::uint64_t ticket, const std::vector<std::string>& questions) const {
        EngineBatch batch{ticket, &dataset_, {}};
        for (const std::string& question : questions) {
            Request request;
            request.sample.id = std::to_string(batch.requests.size());
            request.sample.input = Json({{"question", question}}).dump();
            batch.requests.push_back(std::move(request));
        }
        return batch;
    }

    static std::vector<std::string> texts_of(const Result<EngineAnswer>& answer) {
        if (!answer) return {answer.error().reason + ": " + answer.error().message};
        return outcomes_of(*answer);
    }

    /// What came of them: the prediction, or "failed: " and why; or why there is none at all.
    std::vector<std::string> outcomes(const std::vector<std::string>& questions) {
        auto engine = start();
        if (!engine) return {engine.error().reason + ": " + engine.error().message};
        (*engine)->begin(batch(7, questions));
        return texts_of((*engine)->next());
    }

    // The server.

    struct Asked {
        std::string question;
        int time = 0;  // the how manieth of this question, from 1
    };

    void serve(Conversation& conversation, const Heard& heard) {
        if (heard.verb == "GET" && heard.target == "/v1/models") return list_models(conversation);
        if (heard.verb != "POST" || heard.target != "/v1/chat/completions") return conversation.reply(404, "what?");
        const Json request = Json::parse(heard.body);
        serve_chat(conversation, request);
    }

    virtual void serve_chat(Conversation& conversation, const Json& request) {
        Asked asked{request["messages"].back()["content"].get<std::string>()};
        const int open = ++open_;
        {
            const std::lock_guard lock(mutex_);
            asked.time = ++times_[asked.question];
            most_open_[asked.question] = open;
        }
        answer(conversation, asked, open);
        --open_;
    }

    virtual void list_models(Conversation& conversation) { conversation.reply(200, models); }

    virtual void answer(Conversation& conversation, const Asked& asked, int open) {
        const std::string& question = every_question_.empty() ? asked.question : every_question_;
        const bool once = question.ends_with("once");
        if (once && asked.time > 1) return good(conversation, asked);
        if (const auto found = refusals().find(question.substr(0, question.find(' '))); found != refusals().end())
            return conversation.reply(found->second, R"({"error":{"message":"no, because"}})");
        if (question.starts_with("wait a second"))
            return asked.time > 1 ? good(conversation, asked) : conversation.reply(429, "busy", "Retry-After: 1\r\n");
        if (question.starts_with("garbage")) return conversation.reply(200, "<html>");
        if (question.starts_with("echo ")) return conversation.reply(200, "<html>" + question.substr(5));
        if (question.starts_with("half"))
            return say_and_close(conversation, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"choices\":[{");
        if (question.starts_with("no HTTP")) return say_and_close(conversation, "220 smtp ready\r\n\r\n");
        if (question.starts_with("close")) return conversation.close();
        if (question.starts_with("reset")) return conversation.reset();
        if (question.starts_with("stall")) return conversation.await_close();
        if (question == "huge") return conversation.write("HTTP/1.1 200 OK\r\nContent-Length: 100000001\r\n\r\n");
        if (question == "endless") return endless(conversation);
        if (question == "long") return conversation.reply(200, completion(std::string(99'000'000, 'x')));
        if (question.starts_with("finish "))
            return conversation.reply(200, R"({"choices":[{"message":{"content":"half"},"finish_reason":")" +
                                               question.substr(7, question.find(' ', 7) - 7) + "\"}]}");
        if (question.starts_with("raw ")) return conversation.reply(200, completion(bytes_of(question.substr(4))));
        if (question == "headers")
            return conversation.write("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
        static_cast<void>(open);
        good(conversation, asked);
    }

    static const std::map<std::string, int>& refusals() {
        static const std::map<std::string, int> all{{"400", 400}, {"401", 401}, {"402", 402}, {"403", 403},
                                                    {"404", 404}, {"413", 413}, {"422", 422}, {"429", 429},
                                                    {"500", 500}, {"502", 502}, {"503", 503}, {"307", 307}};
        return all;
    }

    static void good(Conversation& conversation, const Asked& asked) {
        conversation.reply(200, completion("answer to " + asked.question));
    }
    static void say_and_close(Conversation& conversation, std::string_view bytes) {
        conversation.write(bytes);
        conversation.close();
    }
    static void endless(Conversation& conversation) {
        conversation.begin_chunks();
        const std::string block(1 << 20, ' ');
        while (conversation.is_open()) conversation.chunk(block);
    }
    static std::string bytes_of(const std::string& digits) {
        std::string bytes;
        for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
            bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
        return bytes;
    }

    int times(const std::string& question) {
        const std::lock_guard lock(mutex_);
        return times_[question];
    }

    TemporaryFolder folder_;
    Dataset dataset_;
    Eval eval_;
    Environment environment_;
    std::mutex mutex_;
    std::map<std::string, int> times_;
    std::vector<std::string> waited_for_;
    std::string every_question_;            // is answered as this one; empty: as itself
    std::map<std::string, int> most_open_;  // with the last request of that question
    std::atomic<int> open_ = 0;
    std::unique_ptr<BadServer> server_;  // ends first
};

}  // namespace evaljob::test
