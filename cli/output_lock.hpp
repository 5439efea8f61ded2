// One `evaljob run` at a time in one output folder. The kernel gives the lock back when the program ends, however it
// does.
#pragma once

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "api/result.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

class OutputLock {
public:
    /// Makes the folder. Fails with WriteFailed, NoSpace, InUse or NoLocks, naming it.
    static Result<OutputLock> take(const std::string& folder) {
        if (auto made = make_folders(folder); !made) return tl::unexpected(made.error());
        const std::string path = folder + "/.lock";
        FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
        if (!file) return write_failure(path, errno);
        if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return OutputLock(std::move(file));
        if (errno == EWOULDBLOCK)
            return fail("InUse", folder + ": another evaljob run writes here; wait for it, or choose another --output");
        return fail("NoLocks", folder + ": cannot be locked against another evaljob run (" + std::strerror(errno) +
                                   "): its file system knows no locks; choose another --output, or mount it with " +
                                   "locks (NFS: a lock service, no nolock)");
    }

private:
    explicit OutputLock(FileDescriptor file) : file_(std::move(file)) {}
    FileDescriptor file_;
};

}  // namespace evaljob
