#include "evaljob-runner/merge/publish.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "api/assert.hpp"
#include "api/digest.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"
#include "evaljob-runner/storage/mapped_file.hpp"

namespace evaljob {

namespace {

constexpr const char* temporary_prefix = ".tmp-";
constexpr const char* sums_name = "SHA256SUMS";
constexpr std::size_t buffer_limit = std::size_t{1} << 20;

tl::unexpected<Error> write_failed(const std::string& path) { return write_failure(path, errno); }

/// Waits for another publication here. An empty descriptor where the file system knows no locks, which is noted.
FileDescriptor lock_folder(const std::string& results, std::string& note) {
    const std::string path = results + "/.lock";
    FileDescriptor file(disk::open(path, O_RDWR | O_CREAT));
    while (!file || disk::lock(file.get()) != 0) {
        if (file && errno == EINTR) continue;
        note = path + ": cannot be locked (" + std::strerror(errno) +
               "): nothing keeps two merges here apart, and what dead ones have left is not removed";
        return FileDescriptor();
    }
    return file;
}

/// Only under the lock: whoever made them is dead.
void remove_stale(const std::string& shared) {
    const std::string results = layout::results(shared);
    remove_temporaries(layout::current(shared), std::numeric_limits<std::int64_t>::max());
    for (const std::string& name : disk::names_in(results).value_or(std::vector<std::string>()))
        if (name.starts_with(temporary_prefix)) remove_all(results + "/" + name);
}

Result<void> rename_path(const std::string& from, const std::string& to) {
    if (disk::rename(from, to) != 0) return write_failed(to);
    return {};
}

}  // namespace

struct Publication::State {
    std::string shared;
    std::string results;
    std::string temporary;
    FileDescriptor lock;
    std::string note;
    FileDescriptor file;
    std::string name;  // of the open file
    std::string buffer;
    Sha256 sum;
    std::vector<std::pair<std::string, std::string>> files;  // name and SHA-256
    std::size_t sealed = 0;  // the first so many of them are covered by the digest, SHA256SUMS included
    std::string digest;

    ~State() {
        if (!temporary.empty()) remove_all(temporary);
    }

    Result<void> flush() {
        EVALJOB_ASSERT(file, "bytes are of a file");
        sum.update(buffer);
        auto written = write_all(file.get(), buffer, temporary + "/" + name);
        buffer.clear();
        return written;
    }

    Result<void> close_file() {
        if (!file) return {};
        if (auto flushed = flush(); !flushed) return flushed;
        // Network file systems report write errors as late as at close.
        if (disk::sync(file.get()) != 0 || disk::close(file.release()) != 0)
            return write_failed(temporary + "/" + name);
        EVALJOB_ASSERT(buffer.empty(), "a file's digest is of all its bytes");
        files.emplace_back(name, sum.hex());
        return {};
    }

    bool equals(const std::string& folder, std::size_t from, std::size_t to) const {
        for (std::size_t i = from; i < to; ++i) {
            auto there = MappedFile::open(folder + "/" + files[i].first);
            if (!there || sha256_hex(there->bytes()) != files[i].second) return false;
        }
        return true;
    }

    /// Into an intact folder of the same digest: what the digest does not cover, if it differs.
    Result<void> renew_rest(const std::string& folder) {
        for (std::size_t i = sealed; i < files.size(); ++i) {
            if (equals(folder, i, i + 1)) continue;
            const std::string& file_name = files[i].first;
            if (auto moved = rename_path(temporary + "/" + file_name, folder + "/" + file_name); !moved) return moved;
        }
        return sync_folder(folder);
    }

    Result<void> take_place(const std::string& folder) {
        if (disk::status(folder).kind != disk::Kind::Missing) {
            if (equals(folder, 0, sealed)) {
                // Whoever renamed it here may have died before that was durable.
                if (auto renewed = renew_rest(folder); !renewed) return renewed;
                return sync_folder(results);
            }
            // Damaged: out of the way first. A crash in between leaves none, and the next merge publishes again.
            std::string away = results + "/" + temporary_prefix + disk::unique_name();
            if (auto moved = rename_path(folder, away); !moved) return moved;
            if (auto moved = rename_path(temporary, folder); !moved) return moved;
            remove_all(away);
        } else if (auto moved = rename_path(temporary, folder); !moved) {
            return moved;
        }
        temporary.clear();
        return sync_folder(results);
    }
};

Publication::Publication(std::unique_ptr<State> state) : state_(std::move(state)) {}
Publication::Publication(Publication&&) noexcept = default;
Publication& Publication::operator=(Publication&&) noexcept = default;
Publication::~Publication() = default;

Result<Publication> Publication::begin(const std::string& shared) {
    auto state = std::make_unique<State>();
    state->shared = shared;
    state->results = layout::results(shared);
    if (auto made = make_folders(state->results); !made) return tl::unexpected(made.error());
    state->lock = lock_folder(state->results, state->note);
    if (state->lock) remove_stale(shared);
    std::string temporary = state->results + "/" + temporary_prefix + disk::unique_name();
    if (auto made = make_folders(temporary); !made) return tl::unexpected(made.error());
    state->temporary = temporary;
    return Publication(std::move(state));
}

Result<void> Publication::open(const std::string& name) {
    State& s = *state_;
    EVALJOB_ASSERT(!s.temporary.empty(), "nothing is added to what is published");
    if (auto closed = s.close_file(); !closed) return closed;
    EVALJOB_ASSERT(s.buffer.empty(), "a file begins empty");
    std::string path = s.temporary + "/" + name;
    s.file = FileDescriptor(disk::open(path, O_WRONLY | O_CREAT | O_EXCL));
    if (!s.file) return write_failed(path);
    s.name = name;
    s.sum = Sha256();
    return {};
}

Result<void> Publication::write(std::string_view bytes) {
    EVALJOB_ASSERT(state_->file, "bytes are of a file");
    state_->buffer += bytes;
    return state_->buffer.size() < buffer_limit ? Result<void>() : state_->flush();
}

Result<std::string> Publication::seal() {
    State& s = *state_;
    if (auto closed = s.close_file(); !closed) return tl::unexpected(closed.error());
    EVALJOB_ASSERT(s.sealed == 0 && !s.files.empty(), "a result has files, and is sealed once");
    std::string sums;
    for (const auto& [name, sum] : s.files) sums += sum + "  " + name + "\n";
    s.digest = sha256_hex(sums);
    if (auto opened = open(sums_name); !opened) return tl::unexpected(opened.error());
    if (auto written = write(sums); !written) return tl::unexpected(written.error());
    if (auto closed = s.close_file(); !closed) return tl::unexpected(closed.error());
    EVALJOB_ASSERT(s.files.back().second == s.digest, "a result's digest is that of the list of its files' digests");
    s.sealed = s.files.size();
    return s.digest;
}

Result<Published> Publication::publish() {
    State& s = *state_;
    EVALJOB_ASSERT(s.sealed > 0 && s.digest.size() == 64, "only what is sealed is published");
    if (auto closed = s.close_file(); !closed) return tl::unexpected(closed.error());
    if (auto synced = sync_folder(s.temporary); !synced) return tl::unexpected(synced.error());
    EVALJOB_ASSERT(!s.file && s.files.size() >= s.sealed, "everything that is published was closed");
    std::string name = "sha256-" + s.digest;
    if (auto placed = s.take_place(s.results + "/" + name); !placed) return tl::unexpected(placed.error());
    std::string current = layout::current(s.shared);
    auto before = read_file(current, 4096);
    // One that names it already was perhaps renamed into place by a merge that died before that was durable.
    auto named = before && *before == name + "\n" ? sync_folder(s.shared) : write_file_durably(current, name + "\n");
    if (!named) return tl::unexpected(named.error());
    return Published{s.digest, "results/" + name, s.note};
}

}  // namespace evaljob
