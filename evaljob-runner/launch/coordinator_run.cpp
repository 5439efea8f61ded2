#include "evaljob-runner/launch/coordinator_run.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "api/names.hpp"
#include "evaljob-runner/launch/exit_status.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr Milliseconds farewell = 10'000;  // how long ranks that have been told may take to hang up
// A network file system's caches keep what was there before for up to half of this.
constexpr Milliseconds until_everything_shows = 60'000;

}  // namespace

CoordinatorRun::CoordinatorRun(Manifest manifest, std::string shared_dir, const CoordinatorOptions& options,
                               const std::vector<BatchState>& batches, bool done, LogNames names, Outside outside)
    : manifest_(std::move(manifest)),
      shared_dir_(std::move(shared_dir)),
      identity_(options.identity),
      epoch_(options.epoch),
      run_id_(options.expected.run_id),
      coordinator_(options, batches),
      done_(done),
      outside_(std::move(outside)),
      received_(shared_dir_, options.identity, options.expected.run_id, options.epoch),
      names_(std::move(names)) {}

Result<std::unique_ptr<CoordinatorRun>> CoordinatorRun::open(Manifest manifest, const std::string& shared_dir,
                                                             CoordinatorOptions options, Outside outside,
                                                             FailedBefore failed) {
    const auto run = open_run_folder(manifest, shared_dir);
    if (!run) return tl::unexpected(run.error());
    for (const auto& note : run->inventory.notes) spdlog::warn("{}", note);
    options.epoch = run->epoch;
    options.identity = identity_of(manifest);
    auto names = LogNames::open(shared_dir, run->epoch);
    if (!names) return tl::unexpected(names.error());
    // One that this very run has written is its end. An earlier run's is written anew where it may stand.
    const bool done = run->marker && run->marker->run_id == options.expected.run_id;
    const auto batches = batch_states(manifest, run->inventory, is_settled(*run, failed));
    return std::unique_ptr<CoordinatorRun>(new CoordinatorRun(std::move(manifest), shared_dir, options, batches, done,
                                                              std::move(*names), std::move(outside)));
}

void CoordinatorRun::start(Milliseconds now) { apply(done_ ? coordinator_.published() : coordinator_.start(), now); }

void CoordinatorRun::message(SessionId session, const Message& message, Milliseconds now) {
    if (const auto* append = std::get_if<Append>(&message)) return take_records(session, *append, now);
    if (const auto* done = std::get_if<Done>(&message); done && waits_for_commit(session, *done)) {
        uncommitted_.emplace_back(session, *done);
        if (uncommitted_.size() == 1) outside_.commit_soon();
        return;
    }
    commit(now);  // else a batch that was just reported would be handed out once more
    apply(coordinator_.message(session, message, now), now);
}

/// Relative to the shared folder; empty for a session that is none, or has none.
std::string CoordinatorRun::log_of(SessionId session, const Done& done) const {
    if (writes_for(session)) return received_.path_of(session);
    const RankContract* contract = coordinator_.contract_of(session);
    if (contract == nullptr || done.log.empty()) return "";
    return names::output_dir("", run_id_, contract->node_rank, contract->attempt).substr(1) + "/" + done.log;
}

bool CoordinatorRun::waits_for_commit(SessionId session, const Done& done) const {
    const std::string log = log_of(session, done);
    return writes_for(session) || (!log.empty() && !names_.knows(log));
}

void CoordinatorRun::take_records(SessionId session, const Append& append, Milliseconds now) {
    if (!coordinator_.is_registered(session)) return outside_.close(session);
    senders_.insert(session);
    apply(coordinator_.message(session, Heartbeat{}, now), now);
    const auto taken = received_.append(session, append);
    if (taken) return;
    if (taken.error().reason != "BadMessage")
        return outside_.end_job(exit_status_of(taken.error()), taken.error().message);
    spdlog::warn("closing a connection: {}", taken.error().message);
    outside_.close(session);
}

void CoordinatorRun::commit(Milliseconds now) {
    const auto reports = std::exchange(uncommitted_, {});
    if (reports.empty()) return;
    for (const auto& [session, done] : reports)
        if (const std::string log = log_of(session, done); !log.empty()) names_.add(log);
    const auto committed = received_.commit().and_then([this] { return names_.commit(); });
    if (!committed) return outside_.end_job(exit_status_of(committed.error()), committed.error().message);
    for (const auto& [session, done] : reports) {
        if (!writes_for(session) || received_.holds(session, done.lease)) {
            apply(coordinator_.message(session, done, now), now);
            continue;
        }
        spdlog::warn("closing a connection: batch {} was reported done, but its records have not come", done.batch);
        outside_.close(session);
    }
}

void CoordinatorRun::disconnected(SessionId session, Milliseconds now) {
    commit(now);  // what it has reported is not lost with it
    received_.close(session);
    senders_.erase(session);
    apply(coordinator_.disconnected(session, now), now);
    finish_when_alone(now);
}

void CoordinatorRun::tick(Milliseconds now) {
    commit(now);
    apply(coordinator_.tick(now), now);
    // Where two coordinators live beside each other, the other one may have written the marker: ranks that find it are
    // gone, and nobody is left to finish what this one still counts as open.
    const bool alone = coordinator_.connected() == 0 && !coordinator_.finished();
    if (alone && another_has_finished()) apply(coordinator_.published(), now);
    if (looking_ && now >= looking_->next && !coordinator_.finished()) write_marker(now);
    finish_when_alone(now);
}

void CoordinatorRun::apply(const Effects& effects, Milliseconds now) {
    for (const Effect& effect : effects) {
        if (const auto* send = std::get_if<Send>(&effect)) {
            outside_.send(send->session, send->message);
        } else if (const auto* close = std::get_if<CloseSession>(&effect)) {
            outside_.close(close->session);
        } else if (const auto* note = std::get_if<Note>(&effect)) {
            spdlog::debug("coordinator: {}", note->text);
        } else if (const auto* end = std::get_if<EndJob>(&effect)) {
            outside_.end_job(end->exit_code, end->message);
        } else {
            write_marker(now);
        }
    }
}

/// By a marker of this run, or of a later coordinator of whichever run, over which this one must not write.
bool CoordinatorRun::another_has_finished() const {
    const auto marker = standing_marker(shared_dir_, identity_of(manifest_));
    return marker && (marker->run_id == run_id_ || marker->epoch > epoch_) && sync_folder(shared_dir_);
}

void CoordinatorRun::write_marker(Milliseconds now) {
    if (another_has_finished()) return apply(coordinator_.published(), now);
    const auto marker = write_done_marker(manifest_, shared_dir_, {epoch_, run_id_});
    if (!marker && look_again(marker.error(), now)) return;
    if (!marker) return outside_.end_job(exit_status_of(marker.error()), marker.error().message);
    looking_.reset();
    tell_of_the_end(now);
    apply(coordinator_.published(), now);
}

/// What was reported is durable; it may only not show yet. The pauses grow, for each time all logs are read.
bool CoordinatorRun::look_again(const Error& error, Milliseconds now) {
    if (error.reason != "Incomplete" && error.reason != "ReadFailed") return false;
    if (!looking_) {
        looking_ = Looking{now, now};
        spdlog::warn("coordinator: {}; looking again for {} s", error.message, until_everything_shows / 1'000);
    }
    const Milliseconds looked = now - looking_->since;
    if (looked >= until_everything_shows) return false;
    looking_->next = now + std::clamp<Milliseconds>(looked, 1'000, 15'000);
    return true;
}

void CoordinatorRun::tell_of_the_end(Milliseconds now) const {
    const auto p = progress(now);
    spdlog::info(
        "coordinator: all {} samples are on the volume ({} in this epoch under {} leases for {} batches, {} leased "
        "again, {} twice at a time)",
        p.samples_total, p.samples_done - p.samples_resumed, p.leases, p.batches, p.leases_again, p.leases_twice);
    if (p.balance.makespan_ms > 0) {
        spdlog::info("coordinator: it took {:.1f} s; ranks waited for leases for {:.1f} s", p.balance.makespan_ms / 1e3,
                     p.balance.idle_ms / 1e3);
        if (p.balance.bound_ms > 0)
            spdlog::info("coordinator: that is {:.3f} times the least possible",
                         p.balance.makespan_ms / p.balance.bound_ms);
    }
}

void CoordinatorRun::finish_when_alone(Milliseconds now) {
    if (!coordinator_.finished() || told_finished_) return;
    if (!published_at_) published_at_ = now;
    // Late ranks find the done marker on the volume; those that are connected are told, and hang up.
    if (coordinator_.connected() > 0 && now - *published_at_ < farewell) return;
    // A coordinator of a run that was stopped may have looked before this one's marker stood, and written its own over
    // it, in which late ranks of this run would not find their end.
    if (!another_has_finished()) {
        const auto again = write_done_marker(manifest_, shared_dir_, {epoch_, run_id_});
        if (!again) return outside_.end_job(exit_status_of(again.error()), again.error().message);
    }
    told_finished_ = true;
    outside_.finished();
}

}  // namespace evaljob
