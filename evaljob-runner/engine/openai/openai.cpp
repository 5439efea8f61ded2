#include "evaljob-runner/engine/openai/openai.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/dataset/image_folder.hpp"
#include "evaljob-runner/engine/openai/chat_request.hpp"
#include "evaljob-runner/engine/openai/destination.hpp"
#include "evaljob-runner/engine/openai/http_client.hpp"
#include "evaljob-runner/engine/openai/readiness.hpp"
#include "evaljob-runner/engine/openai/traffic.hpp"

namespace evaljob {

namespace {

using namespace openai;
namespace asio = boost::asio;

constexpr std::int32_t tokens_of_a_simple_answer = 16;

/// A batch whose samples are asked.
struct Open {
    EngineAnswer answer;
    std::size_t unanswered = 0;
};

class OpenAiEngine : public Engine {
public:
    OpenAiEngine(const Eval& eval, std::string storage_root, Destination destination, Terms terms,
                 std::function<void(std::string)> waits)
        : eval_(eval),
          storage_root_(std::move(storage_root)),
          terms_(std::move(terms)),
          waits_(std::move(waits)),
          away_(eval.inference.startup_timeout_seconds.value_or(default_timeout_seconds)),
          work_(asio::make_work_guard(io_)),
          client_(io_, std::move(destination)),
          traffic_(io_, client_, terms_, away_,
                   static_cast<std::size_t>(eval.inference.max_concurrency.value_or(default_max_concurrency)),
                   {[this](Error error) { broke(std::move(error)); }, waits_, [this] { return simple_request(); }}) {}

    ~OpenAiEngine() override {
        io_.stop();
        if (thread_.joinable()) thread_.join();
        const EngineUsage sum = usage();
        if (sum.requests == 0) return;
        spdlog::info("{}: {} requests, {} of them again; {} at a time in the end; {} prompt and {} completion tokens",
                     terms_.url, sum.requests, sum.requests_again, traffic_.limit(), sum.prompt_tokens,
                     sum.completion_tokens);
    }

    /// Once the server is ready.
    Result<void> start() {
        for (const Dataset& dataset : eval_.datasets) {
            if (dataset.task.prompt.empty()) continue;
            auto prompt = Prompt::read(dataset.task.prompt);
            if (!prompt) return tl::unexpected(bad_input(dataset, prompt.error().message));
            prompts_.emplace(dataset.name, std::move(*prompt));
        }
        std::optional<Result<Readiness>> ready;
        asio::co_spawn(io_, wait_until_ready(io_, client_, terms_, away_, waits_),
                       [&](const std::exception_ptr& thrown, Result<Readiness> result) {
                           if (!thrown) ready = std::move(result);
                           io_.stop();
                       });
        io_.run();
        if (!ready)
            return fail("Unexpected", "spec.eval.model.url: " + terms_.url + ": the look for its models failed");
        if (!*ready) return tl::unexpected(ready->error());
        const std::string& owner = ready->value().owner;
        library_ = (owner.empty() ? "" : owner + ": ") + terms_.model;
        io_.restart();
        thread_ = std::thread([this] { io_.run(); });
        return {};
    }

    /// As many as keep the server busy while the slowest sample of one is awaited.
    std::size_t batches_at_once() const override {
        const auto batch = static_cast<std::size_t>(eval_.inference.max_batch_size);
        return (traffic_.limit() + batch - 1) / batch + 1;
    }

    void begin(EngineBatch batch) override {
        auto open = std::make_shared<Open>();
        open->answer.ticket = batch.ticket;
        open->answer.predictions.resize(batch.requests.size());
        open->unanswered = batch.requests.size();
        const auto found = prompts_.find(batch.dataset->name);
        const auto prompt = found == prompts_.end() ? std::nullopt : std::optional(found->second);
        const StopTexts stop = stop_texts(eval_.model, batch.dataset->task);
        const ImageFolder images(resolve_path(storage_root_, batch.dataset->path));
        for (std::size_t place = 0; place < batch.requests.size(); ++place) {
            const Request& request = batch.requests[place];
            auto asked = chat_request(eval_.model, batch.dataset->task, prompt, request,
                                      [&](const std::string& path) { return images.read(path); });
            auto question = std::make_unique<Question>();
            question->sample = request.sample.id;
            question->answered = [this, open, place](Prediction prediction) {
                take(*open, place, std::move(prediction));
            };
            question->stop = stop;
            if (asked) question->request = std::move(*asked);
            const std::string error = asked ? "" : asked.error().message;
            asio::post(io_, [this, error, question = std::move(question)]() mutable {
                if (error.empty()) return traffic_.ask(std::move(question));
                traffic_.turn_down(*question, error);
            });
        }
    }

    Result<EngineAnswer> next() override {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return broken_ || !whole_.empty(); });
        if (whole_.empty()) return tl::unexpected(*broken_);  // what was answered before is not lost with the server
        EngineAnswer answer = std::move(whole_.front());
        whole_.pop_front();
        return answer;
    }

    EngineUsage usage() const override { return traffic_.usage(); }
    std::string library() const override { return library_; }
    std::string device() const override { return "of the server"; }

private:
    // On the io thread.

    void take(Open& open, std::size_t place, Prediction prediction) {
        open.answer.predictions[place] = std::move(prediction);
        if (--open.unanswered > 0) return;
        const std::lock_guard lock(mutex_);
        whole_.push_back(std::move(open.answer));
        changed_.notify_all();
    }

    ChatRequest simple_request() const {
        Request request;
        request.sample.input = R"({"question":"Hello"})";
        Task task = eval_.datasets.front().task;
        task.max_new_tokens = tokens_of_a_simple_answer;
        return chat_request(eval_.model, task, std::nullopt, request, {}).value_or(ChatRequest());
    }

    void broke(Error error) {
        const std::lock_guard lock(mutex_);
        broken_ = std::move(error);
        changed_.notify_all();
    }

    Eval eval_;
    std::string storage_root_;
    Terms terms_;
    std::function<void(std::string)> waits_;
    std::chrono::seconds away_;
    std::map<std::string, Prompt> prompts_;  // by dataset
    std::string library_;

    asio::io_context io_{1};  // before what uses it, so that its coroutines end first
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    HttpClient client_;
    Traffic traffic_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<EngineAnswer> whole_;  // under mutex_
    std::optional<Error> broken_;     // under mutex_
    std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Engine>> start_openai(const Eval& eval, const std::string& storage_root,
                                             const Environment& environment, std::function<void(std::string)> waits,
                                             OpenAiPace pace) {
    auto destination = read_destination(eval.model, environment);
    if (!destination) return tl::unexpected(destination.error());
    if (const std::string warning = key_in_the_open(*destination); !warning.empty())
        spdlog::warn("spec.eval.model.url: {}", warning);
    Terms terms;
    terms.url = eval.model.url;
    terms.model = eval.model.name;
    terms.variable = eval.model.api_key_variable;
    terms.sample_timeout =
        std::chrono::seconds(eval.inference.sample_timeout_seconds.value_or(default_timeout_seconds));
    terms.first_pause = pace.first_pause;
    terms.filtered_fails = eval.model.content_filter == ContentFilter::Fail;
    terms.fit = fit_rules(eval.model);
    terms.secrets = destination->secrets;
    auto engine =
        std::make_unique<OpenAiEngine>(eval, storage_root, std::move(*destination), std::move(terms), std::move(waits));
    if (auto started = engine->start(); !started) return tl::unexpected(started.error());
    return engine;
}

}  // namespace evaljob
