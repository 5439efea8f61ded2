// A bare loop of libtorch's over a classifier, on one thread: what the runner's time is held against.
//   bench_bare_loop MODEL IMAGES BATCH PREDICTIONS [default]
// IMAGES is an IDX file of 3 dimensions; the predicted classes go to PREDICTIONS, a byte each. "default": with
// libtorch's default executor, which optimises, instead of the runner's. Prints the seconds of the loop, and the
// microseconds of each batch.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr std::size_t header = 16;
constexpr std::size_t side = 28;

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() <= header || (bytes.size() - header) % (side * side) != 0)
        throw std::runtime_error(path + ": is no IDX file of 28 × 28 images");
    return bytes;
}

using Clock = std::chrono::steady_clock;

struct Ran {
    std::string predictions;
    std::vector<Clock::time_point> moments;  // the beginning, and the end of each batch
};

Ran predict(torch::jit::Module& module, const std::string& images, std::size_t batch_size) {
    const c10::InferenceMode guard;
    Ran ran{{}, {Clock::now()}};
    const std::size_t samples = (images.size() - header) / (side * side);
    for (std::size_t first = 0; first < samples; first += batch_size) {
        const std::size_t count = std::min(batch_size, samples - first);
        at::Tensor bytes = at::empty({static_cast<std::int64_t>(count), 1, side, side}, at::kByte);
        std::copy_n(images.data() + header + first * side * side, count * side * side,
                    static_cast<char*>(bytes.data_ptr()));
        const at::Tensor scores = module.forward({bytes.to(at::kFloat).div_(255.0)}).toTensor().contiguous();
        const std::int64_t classes = scores.size(1);
        for (std::size_t i = 0; i < count; ++i) {
            const float* of = scores.const_data_ptr<float>() + static_cast<std::int64_t>(i) * classes;
            ran.predictions += static_cast<char>(std::max_element(of, of + classes) - of);
        }
        ran.moments.push_back(Clock::now());
    }
    return ran;
}

int run(const std::string& model, const std::string& images, std::size_t batch_size, const std::string& out,
        bool optimised) {
    at::set_num_threads(1);
    at::set_num_interop_threads(1);
    torch::jit::setGraphExecutorOptimize(optimised);
    torch::jit::Module module = torch::jit::load(model);
    module.eval();
    const std::string bytes = read(images);
    const Ran ran = predict(module, bytes, batch_size);
    std::ofstream(out, std::ios::binary) << ran.predictions;
    std::printf("%.6f", std::chrono::duration<double>(ran.moments.back() - ran.moments.front()).count());
    for (std::size_t i = 1; i < ran.moments.size(); ++i)
        std::printf(" %.0f", std::chrono::duration<double, std::micro>(ran.moments[i] - ran.moments[i - 1]).count());
    std::printf("\n");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fprintf(stderr, "bench_bare_loop MODEL IMAGES BATCH PREDICTIONS [default]\n");
        return 2;
    }
    try {
        return run(argv[1], argv[2], std::stoul(argv[3]), argv[4], argc > 5);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
