// A file without a name, in memory, that the processes of one node share: the launcher makes it, its ranks inherit it.
// One of them fills it and seals it, the others take their bytes from there. It is gone with the last who has it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "api/result.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

/// Bytes, and what keeps them.
struct SharedBytes {
    std::string_view bytes;
    std::shared_ptr<const void> owner;
};

class MemoryFile {
public:
    /// Set by the launcher for its ranks: the number of the descriptor that they inherit.
    static constexpr const char* variable = "EVALJOB_MODEL_MEMORY";

    /// An empty one. Fails with Unavailable.
    static Result<MemoryFile> make();
    /// The one that was handed down under this number, which is closed: locks tell processes apart only when each has
    /// opened the file itself. Fails with Unavailable.
    static Result<MemoryFile> inherited(int descriptor);

    int descriptor() const { return file_.get(); }

    enum class Turn { Full, Fill, Wait };
    /// Whether it is full; or this process's to fill, until it does so or dies; or another's, who is alive.
    Turn turn();
    /// How much of it there is: grows while somebody fills it.
    std::uint64_t filled() const;
    /// For the one whose turn it is. `write` gets room for so many bytes; when it fails, it is anybody's turn again,
    /// and its Error is passed on. Fails with Unavailable when there is no such room.
    Result<void> fill(std::uint64_t size, const std::function<Result<void>(char* to)>& write);
    /// When it is full. Fails with Unavailable.
    Result<SharedBytes> bytes() const;

private:
    explicit MemoryFile(FileDescriptor file) : file_(std::move(file)) {}
    bool lock(short kind) const;
    FileDescriptor file_;
};

}  // namespace evaljob
