#include "evaljob-runner/engine/package_network.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "evaljob-runner/engine/package_program.hpp"
#include "evaljob-runner/engine/torch_classifier.hpp"

namespace evaljob {

namespace {

constexpr std::int64_t least = 2;  // torch.export takes sizes of 1 for constants unless told otherwise

/// A text that is alone is given twice, always, so that numbers do not depend on who computes them.
at::Tensor twice_if_alone(const at::Tensor& rows) { return rows.size(0) == 1 ? at::cat({rows, rows}) : rows; }

class PackageNetwork : public TextNetwork {
public:
    PackageNetwork(PackageProgram prefill, PackageProgram step, const TextModel& model, c10::Device device,
                   std::int64_t largest_batch)
        : prefill_(std::move(prefill)),
          step_(std::move(step)),
          model_(model),
          device_(device),
          largest_batch_(largest_batch) {}

    bool prepares() const override { return false; }
    at::Tensor prepare(const at::Tensor& image) override { return image; }

    Result<at::Tensor> prefill(const at::Tensor& tokens, const at::Tensor& lengths, const at::Tensor& images) override {
        if (!std::exchange(tried_, true)) {
            if (auto takes = try_sizes(); !takes) return tl::unexpected(takes.error());
        }
        return begin(tokens, lengths, images);
    }

    Result<at::Tensor> step(const at::Tensor& tokens) override {
        std::vector<at::Tensor> inputs{twice_if_alone(tokens)};
        const std::size_t parts = cache_.size();
        inputs.insert(inputs.end(), std::make_move_iterator(cache_.begin()), std::make_move_iterator(cache_.end()));
        auto scores = take(step_.run(inputs), tokens.size(0));
        if (scores && cache_.size() != parts)
            return fail("BadInput", "the package's program step gives a cache of " + std::to_string(cache_.size()) +
                                        " tensors for one of " + std::to_string(parts));
        return scores;
    }

private:
    Result<at::Tensor> begin(const at::Tensor& tokens, const at::Tensor& lengths, const at::Tensor& images) {
        cache_.clear();  // the memory of the batch before, also of one that had not enough of it
        const at::Tensor wide = tokens.size(1) < least ? at::constant_pad_nd(tokens, {0, 1}, model_.pad) : tokens;
        std::vector<at::Tensor> inputs{twice_if_alone(wide), twice_if_alone(lengths)};
        if (images.defined()) inputs.push_back(twice_if_alone(images));
        return take(prefill_.run(inputs), tokens.size(0));
    }

    Result<at::Tensor> take(std::vector<at::Tensor> outputs, std::int64_t rows) {
        if (outputs.size() < 2)
            return fail("BadInput", "the package's prefill and step must give scores and the tensors of a cache");
        cache_.clear();
        for (std::size_t i = 1; i < outputs.size(); ++i) cache_.push_back(outputs[i].contiguous());
        const at::Tensor& scores = outputs.front();
        return rows == 1 && scores.dim() == 2 && scores.size(0) == least ? scores.narrow(0, 0, 1) : scores;
    }

    /// Whether the package takes every batch that can come is found out before the first one. What else goes wrong
    /// here, such as too little memory for the largest, is not a batch's own and shows when one has it.
    Result<void> try_sizes() {
        const std::int64_t longest = std::max(least, model_.max_prompt_tokens);
        for (const auto& [rows, tokens] :
             {std::pair{least, least}, std::pair{std::max(least, largest_batch_), longest}}) {
            try {
                auto scores = try_batch(rows, tokens);
                if (!scores) return tl::unexpected(scores.error());
            } catch (const std::exception& error) {
                if (const auto refusal = refused_size(error.what(), "[0-9]+")) return does_not_take(*refusal);
            }
        }
        cache_.clear();
        return {};
    }

    Result<at::Tensor> try_batch(std::int64_t rows, std::int64_t tokens) {
        const auto numbers = at::TensorOptions(device_).dtype(at::kLong);
        const at::Tensor images = model_.channels == 0 ? at::Tensor()
                                                       : at::zeros({rows, model_.channels, model_.height, model_.width},
                                                                   numbers.dtype(at::kByte));
        auto scores = begin(at::full({rows, tokens}, model_.pad, numbers), at::full({rows}, tokens, numbers), images);
        return scores ? step(at::full({rows}, model_.pad, numbers)) : scores;
    }

    Result<void> does_not_take(const std::string& refusal) const {
        return fail("BadInput", "the package does not take every batch of 1 to " + std::to_string(largest_batch_) +
                                    " texts (spec.eval.inference.maxBatchSize) with prompts of 1 to " +
                                    std::to_string(model_.max_prompt_tokens) + " tokens (maxPromptTokens in its " +
                                    text_model_file + "): " + refusal +
                                    ". Export prefill and step with these sizes dynamic, torch.export.Dim "
                                    "(docs/runner.md)");
    }

    PackageProgram prefill_;
    PackageProgram step_;
    TextModel model_;
    c10::Device device_;
    std::int64_t largest_batch_;
    bool tried_ = false;
    std::vector<at::Tensor> cache_;
};

}  // namespace

Result<std::unique_ptr<TextNetwork>> package_network(const PackageFiles& package, const TextModel& model,
                                                     const DeviceChoice& device, int largest_batch) {
    if (model.channels > 0 && model.height == 0)
        return fail("BadInput", std::string("has ") + text_model_file +
                                    " without height and width of images; a package takes images of one size");
    auto prefill = PackageProgram::load(package, "prefill", device);
    if (!prefill) return tl::unexpected(prefill.error());
    auto step = PackageProgram::load(package, "step", device);
    if (!step) return tl::unexpected(step.error());
    return std::make_unique<PackageNetwork>(std::move(*prefill), std::move(*step), model, torch_device(device),
                                            largest_batch);
}

}  // namespace evaljob
