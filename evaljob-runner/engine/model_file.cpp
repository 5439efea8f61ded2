#include "evaljob-runner/engine/model_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include <spdlog/spdlog.h>

#include "api/digest.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t max_model_bytes = std::uint64_t{64} << 30U;
constexpr std::chrono::seconds patience{60};  // with one who fills the memory file and makes no headway
constexpr std::chrono::milliseconds between_looks{2};

tl::unexpected<Error> unreadable_model(const Error& error) { return input_failure("spec.eval.model.path", error); }

Result<void> check_digest(const ModelFile& file, std::string_view bytes) {
    if (file.sha256.empty() || sha256_hex(bytes) == file.sha256) return {};
    return fail("BadInput", "spec.eval.model.path: " + file.path + " is not the file that the manifest names (sha256 " +
                                file.sha256 + "); every node must see the same files");
}

Result<void> bring(const ModelFile& file, const ModelReader& reader, char* to, const FromOthers& from_others) {
    const std::string_view bytes(to, reader.size());
    if (from_others) {
        const auto got = from_others(reader, to);
        if (got && check_digest(file, bytes)) return {};
        spdlog::warn("model: {}; reading {} here", got ? "the group has sent other bytes" : got.error().message,
                     file.path);
    }
    if (auto read = reader.read(0, to, reader.size()); !read) return read;
    spdlog::info("model: {} bytes read from {}", reader.size(), file.path);
    return check_digest(file, bytes);
}

Result<SharedBytes> read_alone(const ModelFile& file) {
    const auto reader = ModelReader::open(file.path);
    if (!reader) return tl::unexpected(reader.error());
    const auto own = std::make_shared<std::string>(reader->size(), '\0');
    if (auto got = bring(file, *reader, own->data(), {}); !got) return tl::unexpected(got.error());
    return SharedBytes{*own, own};
}

Result<void> fill(const ModelFile& file, MemoryFile& memory, const FromOthers& from_others) {
    const auto reader = ModelReader::open(file.path);
    if (!reader) return tl::unexpected(reader.error());
    return memory.fill(reader->size(), [&](char* to) { return bring(file, *reader, to, from_others); });
}

/// True when the memory file is full; false when its filler hangs.
Result<bool> wait_until_full(const ModelFile& file, MemoryFile& memory, const FromOthers& from_others) {
    std::uint64_t filled = 0;
    auto headway = Clock::now();
    for (;;) {
        const auto turn = memory.turn();
        if (turn == MemoryFile::Turn::Full) return true;
        if (turn == MemoryFile::Turn::Fill) {
            if (auto done = fill(file, memory, from_others); !done) return tl::unexpected(done.error());
            return true;
        }
        if (const auto now = memory.filled(); now != filled) {
            filled = now;
            headway = Clock::now();
        }
        if (Clock::now() - headway > patience) return false;
        std::this_thread::sleep_for(between_looks);
    }
}

}  // namespace

Result<ModelReader> ModelReader::open(const std::string& path) {
    auto opened = open_regular(path);
    if (!opened) return unreadable_model(opened.error());
    if (opened->size > max_model_bytes) return unreadable_model({"TooLarge", path + ": is over 64 GiB"});
    return ModelReader(path, std::move(opened->file), opened->size);
}

Result<void> ModelReader::read(std::uint64_t offset, char* to, std::size_t count) const {
    while (count > 0) {
        const ssize_t got = ::pread(file_.get(), to, count, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return unreadable_model(read_failure(path_, errno).value());
        if (got == 0) return unreadable_model({"Unreadable", path_ + ": has become shorter while it was read"});
        offset += static_cast<std::uint64_t>(got);
        to += got;
        count -= static_cast<std::size_t>(got);
    }
    return {};
}

Result<SharedBytes> read_model_file(const ModelFile& file, MemoryFile* of_node, const FromOthers& from_others) {
    if (of_node == nullptr) return read_alone(file);
    const auto full = wait_until_full(file, *of_node, from_others);
    if (full && *full) return of_node->bytes();
    if (!full && (full.error().reason == "BadInput" || full.error().reason == "ReadFailed"))
        return tl::unexpected(full.error());
    spdlog::warn("model: this node's memory file is of no use ({}); reading {} alone",
                 full ? "who fills it makes no headway" : full.error().message, file.path);
    return read_alone(file);
}

}  // namespace evaljob
