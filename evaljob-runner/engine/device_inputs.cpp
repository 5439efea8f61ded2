#include "evaljob-runner/engine/device_inputs.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <c10/core/Event.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace evaljob {

namespace {

at::Tensor bytes_of(const Part& part, bool pinned) {
    std::vector<std::int64_t> shape = part.front()->sample.shape;
    shape.insert(shape.begin(), static_cast<std::int64_t>(part.size()));
    at::Tensor bytes = at::empty(shape, at::TensorOptions(at::kByte).pinned_memory(pinned));
    char* to = static_cast<char*>(bytes.data_ptr());
    for (const Request* request : part) to = std::copy(request->sample.bytes.begin(), request->sample.bytes.end(), to);
    return bytes;
}

struct Sent : Prepared {
    Sent(at::Tensor on_its_way, c10::DeviceType device) : input(std::move(on_its_way)), copied(device) {}
    at::Tensor input;
    c10::Event copied;
};

/// On a stream of its own. Of memory that several streams use, libtorch's allocators keep account, the pinned one and
/// the device's: neither is used again before what was begun with it has ended, also when nobody asks for the input.
class CopyStream : public DeviceInputs {
public:
    explicit CopyStream(c10::Device device)
        : device_(device), streams_(device.type()), copying_(streams_.getStreamFromGlobalPool(device)) {}

    std::shared_ptr<Prepared> send(const Part& part) override {
        const c10::InferenceMode no_gradients;
        const c10::StreamGuard on_copy_stream(copying_);
        // Bytes travel, a quarter of what floats are. They are divided by a number that lies on the device, too: by one
        // of the host's, CUDA multiplies with its inverse, and the last digits would not be the CPU's.
        const at::Tensor bytes = bytes_of(part, true).to(at::TensorOptions(device_), /*non_blocking=*/true);
        const at::Tensor most = at::full({}, 255.0, at::TensorOptions(device_).dtype(at::kFloat));
        auto sent = std::make_shared<Sent>(bytes.to(at::kFloat).div_(most), device_.type());
        sent->copied.record(copying_);
        return sent;
    }

    at::Tensor arrived(Prepared& prepared) override {
        auto& sent = static_cast<Sent&>(prepared);
        const c10::Stream computing = streams_.getStream(device_);
        sent.copied.block(computing);
        sent.input.record_stream(computing);
        return sent.input;
    }

private:
    c10::Device device_;
    c10::impl::VirtualGuardImpl streams_;
    c10::Stream copying_;
};

}  // namespace

at::Tensor input_of(const Part& part) { return bytes_of(part, false).to(at::kFloat).div_(255.0); }

std::unique_ptr<DeviceInputs> device_inputs(c10::Device device) {
    if (device.is_cpu()) return nullptr;
    return std::make_unique<CopyStream>(device);
}

}  // namespace evaljob
