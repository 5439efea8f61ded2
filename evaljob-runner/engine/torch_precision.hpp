// What models of libtorch compute in: inference.precision.
#pragma once

#include <c10/core/ScalarType.h>

#include <string>

#include "api/evaljob.hpp"

namespace torch::jit {
struct Module;
}

namespace evaljob {

/// Of an input.
at::ScalarType scalar_type_of(Precision precision);

/// The floating point numbers among the module's parameters and buffers become of this precision; FP32 leaves them as
/// they are. Outside of inference mode. Exceptions are libtorch's.
void set_precision(torch::jit::Module& module, Precision precision);

/// What else may be wrong when a model fails, a sentence behind a space; empty with FP32.
std::string doubt_about(Precision precision);

}  // namespace evaljob
