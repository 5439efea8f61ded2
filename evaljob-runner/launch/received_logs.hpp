// writers: Node0: shard logs that ranks of other nodes send, written here. A log for each connection; it lies where the
// rank would have written it itself, under a name of its own. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/record.hpp"
#include "evaljob-runner/coordinator/coordinator.hpp"
#include "evaljob-runner/storage/log_file.hpp"

namespace evaljob {

class ReceivedLogs {
public:
    /// Only logs of this identity and this run are taken.
    ReceivedLogs(std::string shared_dir, std::string identity, std::string run_id, std::uint32_t epoch);

    /// What comes next of the session's log; what has come already is passed over. Fails with BadMessage when these are
    /// no bytes of such a log, else as LogFile does.
    Result<void> append(SessionId session, const Append& append);
    /// Makes everything durable that was appended to whichever log. Fails as LogFile does. After one failed write
    /// nothing is taken any more, and every call fails: what is in the file then is anybody's guess.
    Result<void> commit();
    /// Whether every record of the lease's batch has come, and was committed; asked once.
    bool holds(SessionId session, LeaseNumber lease);
    bool is_open(SessionId session) const { return logs_.contains(session); }
    /// Where the session's log lies, relative to the shared folder; empty when it has none.
    std::string path_of(SessionId session) const;
    /// The connection is gone: what it had sent of a batch remains, and counts for nothing without its end.
    void close(SessionId session) { logs_.erase(session); }

private:
    struct Log {
        LogFile file;
        std::string rest;  // of a frame that is not whole yet
        std::uint64_t received = 0;
        bool dirty = false;
        std::set<LeaseNumber> whole;
    };

    Result<void> begin(SessionId session, std::string_view& bytes);
    Result<void> take_frames(Log& log, std::string_view bytes);
    tl::unexpected<Error> broken(const Error& error);

    std::string shared_dir_;
    std::string identity_;
    std::string run_id_;
    std::uint32_t epoch_;
    std::map<SessionId, Log> logs_;
    std::optional<Error> broken_;
};

}  // namespace evaljob
