// Gloo as it is in libtorch_cpu.so. PyPI's wheel lacks Gloo's own headers; those of Debian's libgloo-dev declare what
// c10d's header names.
#include "evaljob-runner/communicate/gloo.hpp"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>

#include "evaljob-runner/communicate/real_patience.hpp"
#include "evaljob-runner/engine/torch_words.hpp"

namespace evaljob {

const bool gloo_is_built = true;

namespace {

constexpr std::int64_t room_bytes = 4 << 20;
constexpr Milliseconds grace_ms = 5'000;  // Gloo has the deadline too; ours is for when it does not keep it

class GlooCollectives : public Collectives {
public:
    GlooCollectives(c10::intrusive_ptr<c10d::ProcessGroupGloo> group) : group_(std::move(group)) {}
    ~GlooCollectives() override { abort(); }
    GlooCollectives(const GlooCollectives&) = delete;
    GlooCollectives& operator=(const GlooCollectives&) = delete;

    std::size_t size() const override { return static_cast<std::size_t>(size_); }
    std::size_t self() const override { return static_cast<std::size_t>(self_); }
    std::size_t room() const override { return static_cast<std::size_t>(room_.numel()); }
    char* bytes() override { return static_cast<char*>(room_.data_ptr()); }

    Result<void> begin_broadcast(std::size_t count) override {
        return begin([&] {
            std::vector<at::Tensor> part{room_.narrow(0, 0, static_cast<std::int64_t>(count))};
            return group_->broadcast(part);
        });
    }

    Result<void> begin_all_gather(std::uint64_t value) override {
        return begin([&] {
            std::vector<at::Tensor> mine{at::empty({1}, at::kLong)};
            *mine.front().mutable_data_ptr<std::int64_t>() = static_cast<std::int64_t>(value);
            gathered_.assign(1, {});
            for (int i = 0; i < size_; ++i) gathered_.front().push_back(at::empty({1}, at::kLong));
            return group_->allgather(gathered_, mine);
        });
    }

    Asked ask() override {
        if (!work_->isCompleted()) return {State::Running, ""};
        if (work_->isSuccess()) return {State::Done, ""};
        try {
            std::rethrow_exception(work_->exception());
        } catch (const std::exception& error) {
            return {State::Failed, essence_of(error.what())};
        }
    }

    std::vector<std::uint64_t> gathered() const override {
        std::vector<std::uint64_t> values;
        for (const at::Tensor& one : gathered_.front())
            values.push_back(static_cast<std::uint64_t>(*one.const_data_ptr<std::int64_t>()));
        return values;
    }

    /// The group's end closes its connections, and waits for what runs: what does not end is left behind.
    void abort() override {
        if (!group_) return;
        if (!work_ || work_->isCompleted()) return group_.reset();
        (void)group_.release();
    }

private:
    template <class Begin>
    Result<void> begin(Begin begin) {
        if (!group_) return fail("Unavailable", "the group was left");
        try {
            work_ = begin();
            return {};
        } catch (const std::exception& error) {
            return fail("Unavailable", essence_of(error.what()));
        }
    }

    c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
    int size_ = group_->getSize();
    int self_ = group_->getRank();
    at::Tensor room_ = at::empty({room_bytes}, at::kByte);
    std::vector<std::vector<at::Tensor>> gathered_;
    c10::intrusive_ptr<c10d::Work> work_;
};

class GlooDoor : public Door {
public:
    GlooDoor(std::string host, Milliseconds limit)
        : host_(std::move(host)), limit_(limit), store_(open(host_, 0, true)) {}

    std::string address() const override { return host_ + ":" + std::to_string(store_->getPort()); }

    Result<std::unique_ptr<Communicator>> enter(const Group& group) override {
        try {
            auto options = c10d::ProcessGroupGloo::Options::create(std::chrono::milliseconds(limit_));
            options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(host_));
            auto collectives = std::make_unique<GlooCollectives>(c10::make_intrusive<c10d::ProcessGroupGloo>(
                store_of(group), static_cast<int>(group.self), static_cast<int>(group.members.size()), options));
            return std::make_unique<BoundedCommunicator>(std::move(collectives), real_patience(limit_ + grace_ms));
        } catch (const std::exception& error) {
            return fail("Unavailable", essence_of(error.what()));
        }
    }

private:
    c10::intrusive_ptr<c10d::Store> store_of(const Group& group) const {
        if (group.self == 0) return store_;
        const std::string& first = group.members.front();
        const std::size_t colon = first.rfind(':');
        return open(first.substr(0, colon), static_cast<std::uint16_t>(std::stoi(first.substr(colon + 1))), false);
    }

    c10::intrusive_ptr<c10d::TCPStore> open(const std::string& host, std::uint16_t port, bool here) const {
        c10d::TCPStoreOptions options;
        options.port = port;
        options.isServer = here;
        options.waitWorkers = false;
        options.timeout = std::chrono::milliseconds(limit_);
        return c10::make_intrusive<c10d::TCPStore>(host, options);
    }

    std::string host_;
    Milliseconds limit_;
    c10::intrusive_ptr<c10d::TCPStore> store_;
};

}  // namespace

Result<std::unique_ptr<Door>> open_gloo_door(const std::string& address, std::int64_t limit_ms) {
    try {
        return std::make_unique<GlooDoor>(address, limit_ms);
    } catch (const std::exception& error) {
        return fail("Unavailable", essence_of(error.what()));
    }
}

}  // namespace evaljob
