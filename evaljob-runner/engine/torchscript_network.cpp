#include "evaljob-runner/engine/torchscript_network.hpp"

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/module.h>

#include <string>
#include <utility>
#include <vector>

#include "evaljob-runner/engine/text_model.hpp"

namespace evaljob {

namespace {

class TorchScriptNetwork : public TextNetwork {
public:
    explicit TorchScriptNetwork(torch::jit::Module module) : module_(std::move(module)) {}

    bool prepares() const override { return module_.find_method("prepare").has_value(); }
    at::Tensor prepare(const at::Tensor& image) override { return module_.get_method("prepare")({image}).toTensor(); }

    Result<at::Tensor> prefill(const at::Tensor& tokens, const at::Tensor& lengths, const at::Tensor& images) override {
        cache_ = c10::IValue();  // the memory of the batch before, also of one that had not enough of it
        std::vector<c10::IValue> inputs{tokens, lengths};
        if (images.defined()) inputs.emplace_back(images);
        return take(module_.get_method("prefill")(std::move(inputs)));
    }

    Result<at::Tensor> step(const at::Tensor& tokens) override {
        return take(module_.get_method("step")({tokens, std::move(cache_)}));
    }

    bool refills() const override { return module_.find_method("refill").has_value(); }

    Result<at::Tensor> refill(const at::Tensor& tokens, const at::Tensor& lengths, const at::Tensor& images,
                              const at::Tensor& rows) override {
        std::vector<c10::IValue> inputs{tokens, lengths};
        if (images.defined()) inputs.emplace_back(images);
        inputs.emplace_back(rows);
        inputs.push_back(std::move(cache_));
        return take(module_.get_method("refill")(std::move(inputs)));
    }

private:
    Result<at::Tensor> take(const c10::IValue& said) {
        if (!said.isTuple() || said.toTupleRef().elements().size() != 2 || !said.toTupleRef().elements()[0].isTensor())
            return fail("BadInput", "the model's prefill, step and refill must give scores and a cache");
        cache_ = said.toTupleRef().elements()[1];
        return said.toTupleRef().elements()[0].toTensor();
    }

    torch::jit::Module module_;
    c10::IValue cache_;
};

}  // namespace

Result<std::unique_ptr<TextNetwork>> torchscript_network(const torch::jit::Module& module) {
    for (const char* method : {"prefill", "step"})
        if (!module.find_method(method))
            return fail("BadInput", std::string("has ") + text_model_file + ", but no method " + method);
    return std::make_unique<TorchScriptNetwork>(module);
}

}  // namespace evaljob
