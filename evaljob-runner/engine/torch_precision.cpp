#include "evaljob-runner/engine/torch_precision.hpp"

#include <torch/csrc/jit/api/module.h>

#include "api/enum_names.hpp"

namespace evaljob {

namespace {

/// `tensor` is the module's own, so that the module sees the change.
void convert(const at::Tensor& tensor, at::ScalarType type) {
    if (tensor.defined() && tensor.is_floating_point()) tensor.set_data(tensor.detach().to(type));
}

}  // namespace

at::ScalarType scalar_type_of(Precision precision) {
    switch (precision) {
        case Precision::FP32:
            break;
        case Precision::BF16:
            return at::kBFloat16;
        case Precision::FP16:
            return at::kHalf;
    }
    return at::kFloat;
}

void set_precision(torch::jit::Module& module, Precision precision) {
    if (precision == Precision::FP32) return;
    const at::ScalarType type = scalar_type_of(precision);
    for (const at::Tensor& parameter : module.parameters()) convert(parameter, type);
    for (const at::Tensor& buffer : module.buffers()) convert(buffer, type);
}

std::string doubt_about(Precision precision) {
    if (precision == Precision::FP32) return "";
    return " With spec.eval.inference.precision " + name_of(precision) +
           " every operation of the model, and what it converts itself, must take that type.";
}

}  // namespace evaljob
