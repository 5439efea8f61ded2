// The network of a model that generates texts, however it is stored. docs/runner.md has the contract.
#pragma once

#include <ATen/core/Tensor.h>

#include "api/result.hpp"

namespace evaljob {

/// Exceptions are libtorch's, TorchScript's or a package's.
class TextNetwork {
public:
    virtual ~TextNetwork() = default;

    /// True when it makes images of one size itself: prepare().
    virtual bool prepares() const = 0;
    virtual at::Tensor prepare(const at::Tensor& image) = 0;

    /// Begins anew: the scores of what follows each prompt. `images` is undefined when the model takes none. All lie on
    /// the network's device. Fails with BadInput when it does not give what it should.
    virtual Result<at::Tensor> prefill(const at::Tensor& tokens, const at::Tensor& lengths,
                                       const at::Tensor& images) = 0;
    /// The same when each text has got one more token; the network keeps its cache in between.
    virtual Result<at::Tensor> step(const at::Tensor& tokens) = 0;

    /// True when texts can be given other prompts between steps: refill().
    virtual bool refills() const { return false; }
    /// The same as prefill() of these texts alone, which take the places of `rows`, int64 [N], in the cache.
    virtual Result<at::Tensor> refill(const at::Tensor& /*tokens*/, const at::Tensor& /*lengths*/,
                                      const at::Tensor& /*images*/, const at::Tensor& /*rows*/) {
        return fail("BadInput", "the model does not refill");
    }
};

}  // namespace evaljob
