// A file that one writer creates, appends to and makes durable; nobody ever opens it to write again.
#pragma once

#include <string>
#include <string_view>

#include "api/result.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

/// Every function fails with WriteFailed or NoSpace, naming the file. After a failure the file must be abandoned: a
/// later fsync proves nothing.
class LogFile {
public:
    /// With its first bytes; both they and the folder's entry are durable. Fails with AlreadyExists as well.
    static Result<LogFile> create(const std::string& path, std::string_view first_bytes);
    /// One that this process has created and nobody else writes to. Its entry is durable already.
    static Result<LogFile> reopen(const std::string& path);

    Result<void> append(std::string_view bytes);
    /// Makes everything appended durable.
    Result<void> commit();
    /// The last bytes, durable; closed (checked). A LogFile that goes without is closed as a crash would.
    Result<void> close(std::string_view last_bytes);

    const std::string& path() const { return path_; }

private:
    LogFile(std::string path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
    std::string path_;
    FileDescriptor file_;
};

}  // namespace evaljob
