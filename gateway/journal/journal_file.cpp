// A journal's file: opened, and replaced when it is damaged.

#include <algorithm>

#include "gateway/core/text.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/journal_impl.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/reinstate.h"
#include "gateway/journal/restore.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

Status make_directory(const fs::path& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return {};
  fs::create_directories(directory, error);
  if (!error) fs::permissions(directory, fs::perms::owner_all, error);
  if (error) {
    return fail(Errc::io, "{} cannot be made: {}; make it, or set another storage.path", directory.string(),
                error.message());
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const Options& options, const Clock& clock, Metrics& metrics) {
  if (Status status = make_directory(options.directory); !status) return fail(std::move(status.error()));
  auto lock = DirectoryLock::take(options.directory);
  if (!lock) return fail(std::move(lock.error()));
  if (Status done = finish_restore(options.directory, *lock, clock.now()); !done) return fail(std::move(done.error()));
  auto impl = std::make_unique<Impl>(options, clock, metrics, std::move(*lock));
  if (Status status = impl->open_file(); !status) return fail(std::move(status.error()));
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

/// The newest batch that anything knows of: more than the log has where its WAL was cut off behind what was read of it.
Result<Seq> Journal::Impl::last_known(Writer& opened) const {
  const auto cursor = newest_named(opened.connection(), "cursor", number(opened.found().last));
  if (!cursor) return fail(cursor.error());
  return std::max({opened.found().last, Seq{*cursor},
                   history::last_of(options.directory / "history", opened.found().history_epoch)});
}

Status Journal::Impl::load(std::string& missing) {
  auto opened = Writer::open(file);
  if (!opened) return fail(std::move(opened.error()));
  const Writer::Found& found = opened->found();
  const auto last = last_known(*opened);
  if (!last) return fail(last.error());
  auto restored = restore(opened->connection(), found.first, *last);
  if (!restored) return fail(std::move(restored.error()));
  damage.add(found.lost);
  // Best effort, since the disk may be full: readers of the file believe what it says, above all of history.
  static_cast<void>(opened->connection().run(
      fmt::format("UPDATE cursor SET seq = {} WHERE seq > {}", number(found.first) - 1, number(*last)).c_str()));
  if (*last > found.last) {
    if (missing.empty()) {
      missing = fmt::format(
          "journal.db ends with batch {}, and history or a reader has been at {}: what was between them is lost in the "
          "log, and how much behind it is not known",
          number(found.last), number(*last));
    }
    lost_batches.add(static_cast<double>(damage.add(next(found.last), *last)));
    opened->continue_after(*last, opened->samples_total());
  }
  for (Catalogue::Entry& entry : restored->series) catalogue.restore(std::move(entry));
  for (const auto& [name, at] : restored->cursors) cursors.add(name, at);
  tail.restore(found.first, *last, restored->latest);
  epoch = found.epoch;
  history_epoch = found.history_epoch;
  last_committed = found.last_committed;
  time_saved = found.time;
  first_unsettled = number(opened->unsettled().first);
  latest_saved = restored->latest_saved;
  writer = std::move(*opened);
  note_sizes();
  return {};
}

Status Journal::Impl::open_file() {
  if (Status status = finish_swap(file); !status) return status;
  std::string missing = what_is_missing(lock, file);
  if (lock.left() == DirectoryLock::Left::open || lock.left() == DirectoryLock::Left::lost) archive.look_again();
  if (!missing.empty()) lock.leave(DirectoryLock::Left::lost);
  if (Status status = sql::make_private(file); !status) return status;
  Status status = load(missing);
  if (!status && status.error().code == Errc::corrupt) {
    if (auto report = swap_file(status.error(), std::nullopt); !report) return fail(std::move(report.error()));
    status = load(missing);
  }
  if (status && !missing.empty()) status = report_missing(missing);
  return status;
}

/// From the first commit on the WAL is on disk, under its name, and belongs to the journal.
void Journal::Impl::mark_open() {
  if (!marked_open && writer->is_in_wal()) lock.leave(DirectoryLock::Left::open);
  marked_open = marked_open || writer->is_in_wal();
}

/// Numbers may have been given that nobody knows of any more: with a new epoch none of them comes twice. Told once: a
/// WAL that is damaged in its middle is written on over the damage, and what is behind that would be found again.
Status Journal::Impl::report_missing(const std::string& what) {
  writer->begin_epoch();
  epoch = writer->found().epoch;
  if (Status status = report(what); !status) return status;
  Writer::Upkeep upkeep;
  upkeep.lost = damage.text();
  if (Status status = writer->save(upkeep); !status) return status;
  static_cast<void>(writer->empty_wal());  // best effort: a reader may be at work
  return {};
}

/// In a batch of its own.
Status Journal::Impl::tell(Notice notice, std::vector<AlertRecord> mended) {
  Batch batch;
  batch.events = {{clock.now(), std::move(notice)}};
  batch.alerts = std::move(mended);
  if (Status status = store(batch, {}); !status) return status;
  last_committed = batch.committed;
  tail.publish(std::make_shared<const Batch>(std::move(batch)));
  return {};
}

/// Tells of damage, with what mends it.
Status Journal::Impl::report(std::string text, std::vector<AlertRecord> mended) {
  if (Status status = tell(Notice{"storage", text}, std::move(mended)); !status) return status;
  const std::lock_guard guard(notices_mutex);
  notices.push_back(std::move(text));
  return {};
}

Known Journal::Impl::known() const {
  const auto [first, last] = tail.ends();
  return {epoch,
          history_epoch,
          first,
          last,
          last_committed,
          writer->samples_retired(),
          writer->samples_total(),
          writer->first_event(),
          writer->last_event(),
          catalogue.entries(),
          cursors.all()};
}

/// The damaged file makes way for what could be read of it. The writer's connection must not be open when it does.
Result<Batch> Journal::Impl::swap_file(const Error& why, const std::optional<Known>& known_now) {
  auto salvaged = salvage(file, why, known_now, clock.moment(), options.still_at_work);
  if (!salvaged) return fail(std::move(salvaged.error()));
  // As the new file is, until it is written to. What was missing before is not told yet.
  if (lock.left() != DirectoryLock::Left::lost) lock.leave(DirectoryLock::Left::closed);
  marked_open = false;
  Status swapped = readers->move_over([&] {
    if (writer) writer->abandon();
    return swap_in_successor(file, salvaged->aside);
  });
  if (!swapped) return fail(std::move(swapped.error()));
  forget_suspicion(file);
  replaced.add();
  lost_batches.add(static_cast<double>(salvaged->lost.batches));
  lost_samples.add(static_cast<double>(salvaged->lost.samples));
  lost_events.add(static_cast<double>(salvaged->lost.events));
  damage.add(salvaged->gone);
  const std::lock_guard guard(notices_mutex);
  notices.push_back(std::get<Notice>(salvaged->report.events.at(0).body).text);
  return std::move(salvaged->report);
}

/// While running: readers go over to the new file, and learn of it by its report.
Status Journal::Impl::replace_file(const Error& why) {
  auto report = swap_file(why, known());
  if (!report) return fail(std::move(report.error()));
  last_committed = report->committed;
  tail.publish(std::make_shared<const Batch>(std::move(*report)));
  const std::lock_guard guard(notices_mutex);
  untold = {};  // the report counts all that is lost
  return {};
}

/// Damage that a new connection meets too costs the file its place; after that there is nothing more to try.
Status Journal::Impl::resist(const std::function<Status()>& work) {
  Status status = work();
  const auto damaged_file = [&status] { return !status && status.error().code == Errc::corrupt; };
  if (damaged_file()) status = work();
  if (damaged_file()) {
    if (Status changed = replace_file(status.error()); !changed) return changed;
    status = work();
  }
  if (status) mark_open();
  return status;
}

/// What readers met may be one batch's bytes, which cost that batch only, or a page, which stands in everyone's way.
Status Journal::Impl::look_for_damage() {
  if (!suspicious.exchange(false)) return {};
  Status status = writer->verify();
  if (!status && status.error().code == Errc::corrupt) status = replace_file(status.error());
  if (!status) suspicious = true;
  return status;
}

void Journal::Impl::note_damage(std::span<const BatchPtr> batches) const {
  for (const BatchPtr& batch : batches) {
    const bool gone = batch->gap && batch->gap->why == kDamaged;
    if (!gone && batch->damaged_events == 0) continue;
    const Seq first = gone ? batch->gap->first : batch->seq;
    const std::uint64_t fresh = damage.add(first, batch->seq);
    if (fresh == 0) continue;
    damaged.add(static_cast<double>(fresh));
    suspicious = true;
    const std::lock_guard guard(notices_mutex);
    untold.add({fresh, first, batch->seq});
  }
}

void Journal::Impl::Untold::add(const Untold& more) {
  first = batches == 0 ? more.first : std::min(first, more.first);
  last = std::max(last, more.last);
  batches += more.batches;
}

Result<Alerts> Journal::Impl::alerts() const {
  auto connection = readers->take();
  if (!connection) return fail(std::move(connection.error()));
  auto alerts = read_alerts(**connection);
  if (alerts && !alerts->mended.empty()) alerts_damaged = true;
  return alerts;
}

/// A damaged record of an alert takes no other along, and goes on as the alert was last announced.
Status Journal::Impl::mend_alerts() {
  if (!alerts_damaged) return {};
  const auto found = alerts();
  if (!found) return fail(found.error());
  if (found->mended.empty()) {
    alerts_damaged = false;
    return {};
  }
  std::vector<std::string> which;
  for (const AlertRecord& alert : found->mended) {
    which.push_back(
        fmt::format("'{}' {}", printable(alert.id),
                    alert.rule.empty() ? "is lost, since no event tells of it" : "goes on as it was last announced"));
  }
  Status done = report(fmt::format("records of alerts were damaged: {}", fmt::join(which, ", ")), found->mended);
  if (done) alerts_damaged = false;
  return done;
}

/// What readers met, in words, once.
Status Journal::Impl::tell_damage() {
  Untold met;
  {
    const std::lock_guard guard(notices_mutex);
    met = std::exchange(untold, {});
  }
  if (met.batches == 0) return {};
  const std::string which = met.batches == 1 ? fmt::format("stored batch {} is", number(met.last))
                                             : fmt::format("{} stored batches between {} and {} are", met.batches,
                                                           number(met.first), number(met.last));
  Status told = report(which + " damaged: what cannot be read in it, samples or events, is lost");
  if (told) return told;
  const std::lock_guard guard(notices_mutex);
  untold.add(met);
  return told;
}

}  // namespace tidegate::journal
