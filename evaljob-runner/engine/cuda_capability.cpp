#include "evaljob-runner/engine/cuda_capability.hpp"

#include <dlfcn.h>

namespace evaljob {

namespace {

// Of the driver's interface, cuda.h.
using Init = int (*)(unsigned flags);
using DeviceGet = int (*)(int* device, int ordinal);
using DeviceGetAttribute = int (*)(int* value, int attribute, int device);
constexpr int capability_major = 75;
constexpr int capability_minor = 76;

}  // namespace

Result<int> compute_capability(int index) {
    void* driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);  // stays open: libtorch needs it too
    if (driver == nullptr) return fail("BadInput", "there is no CUDA driver here (libcuda.so.1)");
    const auto init = reinterpret_cast<Init>(::dlsym(driver, "cuInit"));
    const auto get = reinterpret_cast<DeviceGet>(::dlsym(driver, "cuDeviceGet"));
    const auto attribute = reinterpret_cast<DeviceGetAttribute>(::dlsym(driver, "cuDeviceGetAttribute"));
    int device = 0;
    int major = 0;
    int minor = 0;
    if (init == nullptr || get == nullptr || attribute == nullptr || init(0) != 0 || get(&device, index) != 0 ||
        attribute(&major, capability_major, device) != 0 || attribute(&minor, capability_minor, device) != 0)
        return fail("BadInput", "the CUDA driver does not tell of GPU " + std::to_string(index));
    return major * 10 + minor;
}

}  // namespace evaljob
