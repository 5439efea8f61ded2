#include "evaljob-runner/launch/coordinator_run.hpp"

#include <utility>

#include <spdlog/spdlog.h>

#include "evaljob-runner/launch/exit_status.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr Milliseconds farewell = 10'000;  // how long ranks that have been told may take to hang up

}  // namespace

CoordinatorRun::CoordinatorRun(Manifest manifest, std::string shared_dir, const CoordinatorOptions& options,
                               const std::vector<BatchState>& batches, bool done, Outside outside)
    : manifest_(std::move(manifest)),
      shared_dir_(std::move(shared_dir)),
      identity_(options.identity),
      epoch_(options.epoch),
      coordinator_(options, batches),
      done_(done),
      outside_(std::move(outside)),
      received_(shared_dir_, options.identity, options.expected.run_id, options.epoch) {}

Result<std::unique_ptr<CoordinatorRun>> CoordinatorRun::open(Manifest manifest, const std::string& shared_dir,
                                                             CoordinatorOptions options, Outside outside) {
    const auto run = open_run_folder(manifest, shared_dir);
    if (!run) return tl::unexpected(run.error());
    for (const auto& note : run->inventory.notes) spdlog::warn("{}", note);
    options.epoch = run->epoch;
    options.identity = identity_of(manifest);
    const auto batches = batch_states(manifest, run->inventory);
    return std::unique_ptr<CoordinatorRun>(
        new CoordinatorRun(std::move(manifest), shared_dir, options, batches, run->done, std::move(outside)));
}

void CoordinatorRun::start(Milliseconds now) { apply(done_ ? coordinator_.published() : coordinator_.start(), now); }

void CoordinatorRun::message(SessionId session, const Message& message, Milliseconds now) {
    if (const auto* append = std::get_if<Append>(&message)) return take_records(session, *append, now);
    if (const auto* done = std::get_if<Done>(&message); done && writes_for(session)) {
        uncommitted_.emplace_back(session, *done);
        if (uncommitted_.size() == 1) outside_.commit_soon();
        return;
    }
    // Else who comes back would be given the very batches that it has just reported.
    if (std::holds_alternative<Want>(message)) commit(now);
    apply(coordinator_.message(session, message, now), now);
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
    if (const auto committed = received_.commit(); !committed)
        return outside_.end_job(exit_status_of(committed.error()), committed.error().message);
    for (const auto& [session, done] : reports) {
        if (received_.holds(session, done.lease)) {
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
    apply(coordinator_.tick(now), now);
    // Where two coordinators live beside each other, the other one may have written the marker: ranks that find it are
    // gone, and nobody is left to finish what this one still counts as open.
    const bool alone = coordinator_.connected() == 0 && !coordinator_.finished();
    if (alone && is_done(shared_dir_) && sync_folder(shared_dir_)) apply(coordinator_.published(), now);
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

void CoordinatorRun::write_marker(Milliseconds now) {
    const auto marker = write_done_marker(manifest_, shared_dir_, epoch_);
    if (!marker) return outside_.end_job(exit_status_of(marker.error()), marker.error().message);
    const auto p = progress(now);
    spdlog::info(
        "coordinator: all {} samples are on the volume ({} in this epoch under {} leases for {} batches, {} leased "
        "again, {} twice at a time)",
        p.samples_total, p.samples_done - p.samples_resumed, p.leases, p.batches, p.leases_again, p.leases_twice);
    if (p.balance.bound_ms > 0) {
        spdlog::info(
            "coordinator: it took {:.1f} s, {:.3f} times the least possible; ranks waited for leases for {:.1f} s",
            p.balance.makespan_ms / 1e3, p.balance.makespan_ms / p.balance.bound_ms, p.balance.idle_ms / 1e3);
    }
    apply(coordinator_.published(), now);
}

void CoordinatorRun::finish_when_alone(Milliseconds now) {
    if (!coordinator_.finished() || told_finished_) return;
    if (!published_at_) published_at_ = now;
    // Late ranks find the done marker on the volume; those that are connected are told, and hang up.
    if (coordinator_.connected() > 0 && now - *published_at_ < farewell) return;
    told_finished_ = true;
    outside_.finished();
}

}  // namespace evaljob
