#include "evaljob-runner/engine/graphed_forward.hpp"

#include <ATen/ops/equal.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "evaljob-runner/engine/engine_log.hpp"
#include "evaljob-runner/engine/graph_choice.hpp"
#include "evaljob-runner/engine/torch_words.hpp"

namespace evaljob {

namespace {

using Size = std::vector<std::int64_t>;

class GraphedForward {
public:
    GraphedForward(Forward forward, std::unique_ptr<GraphRecorder> recorder)
        : forward_(std::move(forward)), recorder_(std::move(recorder)) {}

    Result<at::Tensor> run(const at::Tensor& input) {
        const Size size = input.sizes().vec();
        if (graphs_.count(size) == 0 && graphs_.size() == most_graphs) return forward_(input);
        Graph& graph = graphs_[size];
        const bool undecided = graph.choice.verdict().empty();
        auto scores = graph.choice.next() == GraphRun::Record ? record(graph, input) : compute(graph, input);
        if (graph.choice.next() == GraphRun::Eager) graph.recording.reset();
        if (undecided && !graph.choice.verdict().empty())
            log_info("inference.cudaGraphs: batches of " + Json(size).dump() + " are " + graph.choice.verdict());
        return scores;
    }

private:
    struct Graph {
        GraphChoice choice;
        std::unique_ptr<Recording> recording;
    };

    Result<at::Tensor> compute(Graph& graph, const at::Tensor& input) {
        Result<at::Tensor> scores = at::Tensor();
        const auto once = [&] {
            scores = graph.choice.next() == GraphRun::Replay ? graph.recording->replay(input) : eager(input);
        };
        double milliseconds = 0;
        if (graph.choice.times())
            milliseconds = recorder_->milliseconds(once);
        else
            once();
        if (scores) graph.choice.ran(milliseconds);
        return scores;
    }

    /// Graphs keep memory. So that none of it is missing, they are given up before a batch is halved.
    Result<at::Tensor> eager(const at::Tensor& input) {
        try {
            return forward_(input);
        } catch (const std::exception& error) {
            if (!keep_memory() || !tells_of_no_memory(error.what())) throw;
        }
        log_warning("inference.cudaGraphs: memory ran out; there are no graphs any more");
        give_up_all("memory ran out");
        return forward_(input);
    }

    /// The batch's scores are those of a run that nothing records, whatever comes of the recording.
    Result<at::Tensor> record(Graph& graph, const at::Tensor& input) {
        auto scores = eager(input);
        if (!scores || !graph.choice.verdict().empty()) return scores;
        if (!no_more_.empty()) {
            graph.choice.give_up(no_more_);
            return scores;
        }
        try {
            graph.recording = recorder_->record(forward_, input);
            if (at::equal(graph.recording->replay(input), *scores))
                graph.choice.ran(0);
            else
                graph.choice.give_up("a replay gives other numbers");
        } catch (const std::exception& error) {
            no_more_ = "libtorch cannot record it: " + essence_of(error.what());
            graph.choice.give_up(no_more_);
        }
        return scores;
    }

    bool keep_memory() const {
        for (const auto& [size, graph] : graphs_)
            if (graph.recording) return true;
        return false;
    }

    void give_up_all(const std::string& why) {
        no_more_ = why;
        for (auto& [size, graph] : graphs_) {
            graph.choice.give_up(why);
            graph.recording.reset();
        }
    }

    Forward forward_;
    std::unique_ptr<GraphRecorder> recorder_;
    std::map<Size, Graph> graphs_;
    std::string no_more_;  // why nothing is recorded any more
};

}  // namespace

Forward graphed_forward(Forward forward, std::unique_ptr<GraphRecorder> recorder) {
    const auto graphed = std::make_shared<GraphedForward>(std::move(forward), std::move(recorder));
    return [graphed](const at::Tensor& input) { return graphed->run(input); };
}

Forward with_graphs(Forward forward, c10::Device device, CudaGraphs graphs) {
    if (graphs == CudaGraphs::None || !device.is_cuda()) return forward;
    auto recorder = cuda_graph_recorder(device);
    if (recorder) return graphed_forward(std::move(forward), std::move(recorder));
    log_warning("inference.cudaGraphs: this evaljob-rank was built without CUDA's headers, so without graphs");
    return forward;
}

}  // namespace evaljob
