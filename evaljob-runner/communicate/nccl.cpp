// NCCL, with communicators that never block: each call is begun, asked for, and aborted when its time is over.
#include "evaljob-runner/communicate/nccl.hpp"

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "api/base64.hpp"
#include "evaljob-runner/communicate/real_patience.hpp"

namespace evaljob {

const bool nccl_is_built = true;

namespace {

constexpr std::size_t room_bytes = std::size_t{16} << 20U;

std::string words(ncclResult_t result, ncclComm_t comm) {
    const char* last = comm == nullptr ? "" : ncclGetLastError(comm);
    return std::string("NCCL: ") + ncclGetErrorString(result) + (*last == '\0' ? "" : std::string(": ") + last);
}

Result<void> check(cudaError_t error) {
    if (error == cudaSuccess) return {};
    return fail("Unavailable", std::string("CUDA: ") + cudaGetErrorString(error));
}

/// What one group has on the GPU, and in memory that the GPU may write to.
struct Room {
    char* host = nullptr;
    char* device = nullptr;
    cudaStream_t stream = nullptr;

    Result<void> make() {
        if (auto made = check(cudaHostAlloc(reinterpret_cast<void**>(&host), room_bytes, cudaHostAllocDefault)); !made)
            return made;
        if (auto made = check(cudaMalloc(reinterpret_cast<void**>(&device), room_bytes)); !made) return made;
        return check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    }

    void free() {
        if (stream != nullptr) cudaStreamDestroy(std::exchange(stream, nullptr));
        if (device != nullptr) cudaFree(std::exchange(device, nullptr));
        if (host != nullptr) cudaFreeHost(std::exchange(host, nullptr));
    }
};

class NcclCollectives : public Collectives {
public:
    NcclCollectives(std::size_t size, std::size_t self) : size_(size), self_(self) {}
    ~NcclCollectives() override { abort(); }
    NcclCollectives(const NcclCollectives&) = delete;
    NcclCollectives& operator=(const NcclCollectives&) = delete;

    /// Begins to meet the others; ask() says when they are there.
    Result<void> begin_meeting(const ncclUniqueId& id) {
        if (auto made = room_.make(); !made) return made;
        ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
        config.blocking = 0;
        step_ = Step::Meeting;
        return begun(ncclCommInitRankConfig(&comm_, static_cast<int>(size_), id, static_cast<int>(self_), &config));
    }

    std::size_t size() const override { return size_; }
    std::size_t self() const override { return self_; }
    std::size_t room() const override { return room_bytes; }
    char* bytes() override { return room_.host; }

    Result<void> begin_broadcast(std::size_t count) override {
        return begin(
            count, [&] { return ncclBroadcast(room_.device, room_.device, count, ncclUint8, 0, comm_, room_.stream); });
    }

    Result<void> begin_all_gather(std::uint64_t value) override {
        std::memcpy(room_.host + self_ * sizeof value, &value, sizeof value);
        return begin(size_ * sizeof value, [&] {
            return ncclAllGather(room_.device + self_ * sizeof value, room_.device, 1, ncclUint64, comm_, room_.stream);
        });
    }

    Asked ask() override {
        ncclResult_t state = ncclSuccess;
        if (comm_ == nullptr) return {State::Failed, "the group was left"};
        if (const ncclResult_t asked = ncclCommGetAsyncError(comm_, &state); asked != ncclSuccess) state = asked;
        if (state == ncclInProgress) return {State::Running, ""};
        if (state != ncclSuccess) return {State::Failed, words(state, comm_)};
        if (step_ == Step::Launching) {  // only now what follows on the stream comes after it
            if (auto copied = copy(room_.host, room_.device, count_, cudaMemcpyDeviceToHost); !copied)
                return {State::Failed, copied.error().message};
            step_ = Step::Computing;
        }
        if (step_ == Step::Computing) {
            const cudaError_t done = cudaStreamQuery(room_.stream);
            if (done == cudaErrorNotReady) return {State::Running, ""};
            if (done != cudaSuccess) return {State::Failed, check(done).error().message};
        }
        step_ = Step::Idle;
        return {State::Done, ""};
    }

    std::vector<std::uint64_t> gathered() const override {
        std::vector<std::uint64_t> values(size_);
        std::memcpy(values.data(), room_.host, values.size() * sizeof(std::uint64_t));
        return values;
    }

    /// What still runs is left behind with its memory: freeing that would wait for it.
    void abort() override {
        const bool idle = step_ == Step::Idle;
        step_ = Step::Idle;
        if (comm_ != nullptr) ncclCommAbort(std::exchange(comm_, nullptr));
        if (idle) room_.free();
        room_ = {};
    }

private:
    enum class Step { Idle, Meeting, Launching, Computing };

    template <class Call>
    Result<void> begin(std::size_t count, Call call) {
        if (comm_ == nullptr) return fail("Unavailable", "the group was left");
        count_ = count;
        if (auto copied = copy(room_.device, room_.host, count, cudaMemcpyHostToDevice); !copied) return copied;
        step_ = Step::Launching;
        return begun(call());
    }

    Result<void> begun(ncclResult_t result) {
        if (result == ncclSuccess || result == ncclInProgress) return {};
        return fail("Unavailable", words(result, comm_));
    }

    Result<void> copy(char* to, const char* from, std::size_t count, cudaMemcpyKind kind) {
        return check(cudaMemcpyAsync(to, from, count, kind, room_.stream));
    }

    std::size_t size_;
    std::size_t self_;
    ncclComm_t comm_ = nullptr;
    Room room_;
    Step step_ = Step::Idle;
    std::size_t count_ = 0;  // bytes of what was begun: to the GPU, and back
};

class NcclDoor : public Door {
public:
    NcclDoor(int device, Milliseconds limit, const ncclUniqueId& id) : device_(device), limit_(limit), id_(id) {}

    std::string address() const override { return base64_encode(std::string(id_.internal, sizeof id_.internal)); }

    Result<std::unique_ptr<Communicator>> enter(const Group& group) override {
        const auto bytes = base64_decode(group.members.front());
        ncclUniqueId id{};
        if (!bytes || bytes->size() != sizeof id.internal)
            return fail("Unavailable", "member 0 of the group has no address of NCCL's");
        std::copy(bytes->begin(), bytes->end(), id.internal);
        if (auto set = check(cudaSetDevice(device_)); !set) return tl::unexpected(set.error());
        auto collectives = std::make_unique<NcclCollectives>(group.members.size(), group.self);
        const Patience patience = real_patience(limit_);
        if (auto begun = collectives->begin_meeting(id); !begun) return tl::unexpected(begun.error());
        if (auto met = await_end(*collectives, patience, "meeting the others"); !met)
            return tl::unexpected(met.error());
        return std::make_unique<BoundedCommunicator>(std::move(collectives), patience);
    }

private:
    int device_;
    Milliseconds limit_;
    ncclUniqueId id_;
};

}  // namespace

Result<std::unique_ptr<Door>> open_nccl_door(int device, std::int64_t limit_ms) {
    if (auto set = check(cudaSetDevice(device)); !set) return tl::unexpected(set.error());
    ncclUniqueId id{};
    if (const ncclResult_t made = ncclGetUniqueId(&id); made != ncclSuccess)
        return fail("Unavailable", words(made, nullptr));
    return std::make_unique<NcclDoor>(device, limit_ms, id);
}

}  // namespace evaljob
