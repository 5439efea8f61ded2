// Publication: files are written into a temporary folder, made durable and renamed to results/sha256-DIGEST, then
// CURRENT is replaced. A reader sees the whole old result or the whole new one, and a crash leaves at most a folder to
// clear away.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/result.hpp"

namespace evaljob {

struct Published {
    std::string digest;  // 64 hex characters
    std::string path;    // results/sha256-DIGEST, relative to the shared folder
    std::string note;    // that a person should know of; mostly empty
};

/// One publication. Only one at a time runs in a shared folder: another one waits in begin() until this object is gone.
class Publication {
public:
    /// Makes the temporary folder and removes those that dead publications left. Fails with WriteFailed or
    /// NoSpace.
    static Result<Publication> begin(const std::string& shared);

    Publication(Publication&&) noexcept;
    Publication& operator=(Publication&&) noexcept;
    ~Publication();  // removes the temporary folder if it was not published

    /// Starts a file of the result; the one before it is made durable.
    Result<void> open(const std::string& name);
    Result<void> write(std::string_view bytes);

    /// Ends the files that the digest covers and gives the digest. SHA256SUMS, which lists them, is written here:
    /// the digest is its own SHA-256. Files that are opened afterwards stand beside them and do not count.
    Result<std::string> seal();

    /// Puts the folder in its place. One of the same digest is compared file by file: an equal one is kept, and only
    /// what the digest does not cover is renewed; a damaged one is replaced. Then CURRENT names it.
    Result<Published> publish();

private:
    struct State;
    explicit Publication(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace evaljob
