// A journal's file: opened, and replaced when it is damaged.

#include <algorithm>

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
  if (const auto done = finish_restore(options.directory, *lock, clock.now()); !done) return fail(done.error());
  auto impl = std::make_unique<Impl>(options, clock, metrics, std::move(*lock));
  if (Status status = impl->open_file(); !status) return fail(std::move(status.error()));
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Status Journal::Impl::load() {
  auto opened = Writer::open(file);
  if (!opened) return fail(std::move(opened.error()));
  const Writer::Found& found = opened->found();
  auto restored = restore(opened->connection(), found.last);
  if (!restored) return fail(std::move(restored.error()));
  for (Catalogue::Entry& entry : restored->series) catalogue.restore(std::move(entry));
  for (const auto& [name, at] : restored->cursors) cursors.add(name, at);
  tail.restore(found.first, found.last, restored->latest);
  epoch = found.epoch;
  last_committed = found.last_committed;
  latest_saved = restored->latest_saved;
  writer = std::move(*opened);
  note_sizes();
  return {};
}

Status Journal::Impl::open_file() {
  if (Status status = finish_swap(file); !status) return status;
  const std::string missing = what_is_missing();
  if (Status status = sql::make_private(file); !status) return status;
  Status status = load();
  if (!status && status.error().code == Errc::corrupt) {
    if (auto report = swap_file(status.error(), std::nullopt); !report) return fail(std::move(report.error()));
    status = load();
  }
  if (status && !missing.empty()) status = report_missing(missing);
  return status;
}

/// Called after each commit: from the first one on the WAL is on disk, under its name, and belongs to the journal.
void Journal::Impl::mark_open() {
  if (!std::exchange(marked_open, true)) lock.leave(DirectoryLock::Left::open);
}

/// In words, or empty. Files do not go by themselves: a card that lost them, or a person who took them.
std::string Journal::Impl::what_is_missing() const {
  if (lock.left() == DirectoryLock::Left::unknown) return {};
  if (size_of(file) == 0) return "journal.db is missing or empty";
  const bool has_wal = fs::exists(file.string() + "-wal");
  if (lock.left() == DirectoryLock::Left::closed || has_wal) return {};
  return "journal.db-wal is missing";
}

/// Numbers may have been given that nobody knows of any more: with a new epoch none of them comes twice.
Status Journal::Impl::report_missing(const std::string& what) {
  if (Status status = writer->begin_epoch(); !status) return status;
  epoch = writer->found().epoch;
  const std::string text = what + ": what was in it is lost, how much is not known";
  Batch report;
  report.events = {{clock.now(), Notice{"storage", text}}};
  if (Status status = store(report, {}); !status) return status;
  last_committed = report.committed;
  tail.publish(std::make_shared<const Batch>(std::move(report)));
  const std::lock_guard guard(notices_mutex);
  notices.push_back(text);
  return {};
}

Known Journal::Impl::known() const {
  const auto [first, last] = tail.ends();
  return {epoch,
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
  forget_successor(file);
  if (Status made = sql::make_private(successor_of(file)); !made) return fail(std::move(made.error()));
  auto salvaged = salvage(file, why, known_now, clock.now(), options.still_at_work);
  if (!salvaged) return fail(std::move(salvaged.error()));
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
  const std::lock_guard guard(notices_mutex);
  notices.push_back(std::get<Notice>(salvaged->report.events.at(0).body).text);
  return std::move(salvaged->report);
}

/// While running: readers go over to the new file, and learn of it by its report.
Status Journal::Impl::replace_file(const Error& why) {
  lock.leave(DirectoryLock::Left::closed);  // as the new file is, until it is written to
  marked_open = false;
  auto report = swap_file(why, known());
  if (!report) return fail(std::move(report.error()));
  last_committed = report->committed;
  tail.publish(std::make_shared<const Batch>(std::move(*report)));
  return {};
}

/// Damage that a new connection meets too costs the file its place; after that there is nothing more to try.
Status Journal::Impl::resist(const std::function<Status()>& work) {
  Status status = work();
  const auto damaged_file = [&status] { return !status && status.error().code == Errc::corrupt; };
  if (damaged_file()) status = work();
  if (!damaged_file()) return status;
  if (Status changed = replace_file(status.error()); !changed) return changed;
  return work();
}

/// What readers met may be one batch's bytes, which cost that batch only, or a page, which stands in everyone's way.
Status Journal::Impl::look_for_damage() {
  if (!suspicious.exchange(false)) return {};
  Status status = writer->verify();
  if (status || status.error().code != Errc::corrupt) return status;
  return replace_file(status.error());
}

void Journal::Impl::note_damage(std::span<const BatchPtr> batches) const {
  for (const BatchPtr& batch : batches) {
    if (!batch->gap || batch->gap->why != kDamaged) continue;
    const std::uint64_t fresh = damage.add(batch->gap->first, batch->gap->last);
    damaged.add(static_cast<double>(fresh));
    if (fresh > 0) suspicious = true;
  }
}

}  // namespace tidegate::journal
