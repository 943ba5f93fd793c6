#include "gateway/journal/journal.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "gateway/journal/codec.h"
#include "gateway/journal/cursors.h"
#include "gateway/journal/dead_letters.h"
#include "gateway/journal/history/archive.h"
#include "gateway/journal/lock.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/reader.h"
#include "gateway/journal/reserve.h"
#include "gateway/journal/restore.h"
#include "gateway/journal/salvage.h"
#include "gateway/journal/schema.h"
#include "gateway/journal/seen.h"
#include "gateway/journal/tail.h"
#include "gateway/journal/writer.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

/// Kept free on the disk for alerts: some ten thousand transitions, with what SQLite writes around them.
constexpr std::uint64_t kReserveBytes = 4u << 20;
constexpr std::size_t kMaxHistoryBuckets = 1u << 20;
constexpr std::string_view kHistoryCursor = "history";
/// The newest samples are saved again after so many: it bounds what a start reads.
constexpr std::int64_t kBatchesBetweenSaves = 2'000;
constexpr std::size_t kSamplesBetweenSaves = 500'000;

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

const char* advice(Errc code) {
  switch (code) {
    case Errc::full:
      return "free some space; the batch is kept and tried again";
    case Errc::corrupt:
      return "a new file is damaged at once: is the disk or the memory broken?";
    default:
      return "the batch is kept and tried again";
  }
}

/// A letter has one row, so its time and what it is counted by are as good as its id, which it may not have yet.
bool same_letter(const DeadLetter& a, const DeadLetter& b) {
  return a.time == b.time && a.source == b.source && a.topic == b.topic && a.reason == b.reason;
}

/// The table's letters, newest first, with what it does not know yet: new ones, and more of a known one.
std::vector<Journal::StoredDeadLetter> merged(std::vector<Journal::StoredDeadLetter> stored,
                                              std::vector<DeadLetters::Change> unsaved) {
  std::vector<Journal::StoredDeadLetter> all;
  for (auto change = unsaved.rbegin(); change != unsaved.rend(); ++change) {
    const auto known = std::find_if(stored.begin(), stored.end(),
                                    [&](const auto& one) { return same_letter(one.letter, change->letter); });
    if (known != stored.end()) {
      known->times = std::max(known->times, change->times);
    } else if (change->id == 0) {  // else it lies beyond the limit
      all.push_back({0, change->times, std::move(change->letter)});
    }
  }
  std::move(stored.begin(), stored.end(), std::back_inserter(all));
  return all;
}

std::uint64_t size_of(const fs::path& file) {
  std::error_code missing;
  const std::uintmax_t size = fs::file_size(file, missing);
  return missing ? 0 : size;
}

}  // namespace

struct Journal::Impl {
  Impl(const Options& opened, const Clock& gateway_clock, Metrics& metrics, DirectoryLock taken)
      : options(opened),
        clock(gateway_clock),
        damaged(metrics.counter("journal/damaged_batches", "", "Stored batches that were found damaged when read.")),
        replaced(metrics.counter("journal/replaced_files", "", "Times that a damaged journal.db was set aside.")),
        lost_batches(
            metrics.counter("journal/lost_batches", "", "Batches that could not be saved from damaged files.")),
        lost_samples(metrics.counter("journal/lost_samples", "", "Samples in them.")),
        lost_events(metrics.counter("journal/lost_events", "", "Events that could not be saved from damaged files.")),
        failures(metrics.counter("journal/append_failures", "", "Commits that failed and were tried again.")),
        retired(metrics.counter("journal/retired_batches", "", "Batches that retention removed.")),
        file_bytes(metrics.gauge("journal/file_bytes", "bytes", "Size of journal.db and its write-ahead log.")),
        used_bytes(metrics.gauge("journal/used_bytes", "bytes", "Bytes of journal.db in use.")),
        rejected(metrics.counter("journal/rejected_samples", "", "Samples not stored because storage was full.")),
        lock(std::move(taken)),
        file(options.directory / "journal.db"),
        catalogue(options.series),
        letters(metrics),
        tail(options.cache_bytes),
        readers(std::make_unique<Readers>(file)),
        archive(options, catalogue, clock, metrics) {}

  const Options options;
  const Clock& clock;
  Metric &damaged, &replaced, &lost_batches, &lost_samples, &lost_events, &failures, &retired, &file_bytes, &used_bytes,
      &rejected;
  DirectoryLock lock;
  const fs::path file;
  std::string epoch;
  mutable std::mutex notices_mutex;
  std::vector<std::string> notices;             ///< guarded by it
  mutable Seen damage;                          ///< that readers met, each batch once
  mutable std::atomic<bool> suspicious{false};  ///< a reader met damage: the next maintain() checks every page
  Catalogue catalogue;
  Cursors cursors;
  DeadLetters letters;
  Tail tail;
  std::unique_ptr<Readers> readers;
  history::Archive archive;

  mutable std::mutex write_mutex;  ///< guards what follows
  std::optional<Writer> writer;
  bool marked_open = false;
  Reserve reserve{options.directory / "journal.reserve", kReserveBytes};
  Timestamp last_committed{};
  Seq latest_saved{};
  std::size_t samples_since_save = 0;
  std::atomic<std::uint64_t> samples{0}, events{0}, used{0};
  std::atomic<std::int64_t> oldest{0};
  std::atomic<Micros> log_keep = options.log_keep;

  Status load();
  Status open_file();
  void mark_open();
  std::string what_is_missing() const;
  Status report_missing(const std::string& what);
  Status resist(const std::function<Status()>& work);
  Status replace_file(const Error& why);
  Result<Batch> swap_file(const Error& why, const std::optional<Known>& known);
  Known known() const;
  void note_damage(std::span<const BatchPtr> batches) const;
  Status look_for_damage();
  Status store(Batch& batch, const Catalogue::Unsaved& names);
  std::vector<Sample> reject_when_full(Batch& batch) const;
  Status check(const Batch& batch) const;
  Status save(bool closing);
  void note_sizes();
};

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

Status Journal::Impl::store(Batch& batch, const Catalogue::Unsaved& names) {
  if (!batch.samples.empty() && !reserve.make()) {
    return fail(Errc::full, "the disk of {} is full: what is left of it is kept for alerts", file.string());
  }
  const auto put = [&] {
    batch.seq = next(tail.ends().last);
    batch.committed = std::max(clock.now(), last_committed);
    Status status = writer->append(batch, names);
    if (status) mark_open();
    return status;
  };
  Status status = resist(put);
  const bool room_helps = !status && status.error().code == Errc::full && batch.samples.empty();
  return room_helps && reserve.spend() ? resist(put) : status;
}

void Journal::Impl::note_sizes() {
  samples = writer->samples();
  events = writer->events();
  used = writer->used_bytes();
  oldest = writer->oldest().time_since_epoch().count();
  used_bytes.set(static_cast<double>(used.load()));
  file_bytes.set(static_cast<double>(size_of(file) + size_of(file.string() + "-wal")));
}

/// The log is full when history is, and takes no more of it: then what is new gives way, where that is asked for.
std::vector<Sample> Journal::Impl::reject_when_full(Batch& batch) const {
  if (options.when_full != WhenFull::reject || used < options.max_bytes) return {};
  return std::exchange(batch.samples, {});
}

Status Journal::Impl::check(const Batch& batch) const {
  if (batch.gap) return fail(Errc::invalid, "a gap cannot be appended");
  if (batch.samples.size() > kMaxBatchSamples) {
    return fail(Errc::invalid, "a batch has {} samples, at most {} are allowed", batch.samples.size(),
                kMaxBatchSamples);
  }
  const std::size_t known = catalogue.size();
  for (const Sample& sample : batch.samples) {
    if (index(sample.series) >= known) return fail(Errc::invalid, "there is no series {}", index(sample.series));
  }
  return {};
}

/// Cursors, dead letters and, when due, the newest samples.
Status Journal::Impl::save(bool closing) {
  Writer::Upkeep upkeep{cursors.moved(), letters.changes(), options.max_dead_letters, std::nullopt};
  const Seq last = tail.ends().last;
  const bool many =
      number(last) - number(latest_saved) >= kBatchesBetweenSaves || samples_since_save >= kSamplesBetweenSaves;
  if (last > latest_saved && (closing || many)) upkeep.latest = encode_latest(tail.latest(catalogue.size()));
  if (!upkeep.empty()) {
    if (Status status = resist([&] { return writer->save(upkeep); }); !status) return status;
    mark_open();
    cursors.saved(upkeep.cursors);
  }
  letters.saved(upkeep.letters, clock.now());
  if (upkeep.latest) {
    latest_saved = last;
    samples_since_save = 0;
  }
  return {};
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Journal>> Journal::open(const Options& options, const Clock& clock, Metrics& metrics) {
  if (Status status = make_directory(options.directory); !status) return fail(std::move(status.error()));
  auto lock = DirectoryLock::take(options.directory);
  if (!lock) return fail(std::move(lock.error()));
  auto impl = std::make_unique<Impl>(options, clock, metrics, std::move(*lock));
  if (Status status = impl->open_file(); !status) return fail(std::move(status.error()));
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Journal::~Journal() {
  const std::lock_guard lock(impl_->write_mutex);
  static_cast<void>(impl_->save(true));  // a cursor may repeat after a failure here, never skip
  impl_->readers.reset();
  impl_->writer->close([this] { impl_->lock.leave(DirectoryLock::Left::closed); });
}

const std::string& Journal::epoch() const { return impl_->epoch; }
Catalogue& Journal::catalogue() { return impl_->catalogue; }
const Catalogue& Journal::catalogue() const { return impl_->catalogue; }
std::vector<std::string> Journal::notices() const {
  const std::lock_guard lock(impl_->notices_mutex);
  return impl_->notices;
}

Result<BatchPtr> Journal::append(Batch& batch) {
  const std::lock_guard lock(impl_->write_mutex);
  if (Status status = impl_->check(batch); !status) return fail(std::move(status.error()));
  std::vector<Sample> gave_way = impl_->reject_when_full(batch);
  const Catalogue::Unsaved names = impl_->catalogue.unsaved();
  if (Status status = impl_->store(batch, names); !status) {
    impl_->failures.add();
    batch.seq = {};
    batch.committed = {};
    if (!gave_way.empty()) batch.samples = std::move(gave_way);
    const Error& error = status.error();
    return fail(error.code, "a batch of {} samples is not stored: {}; {}", batch.samples.size(), error.text,
                advice(error.code));
  }
  impl_->rejected.add(static_cast<double>(gave_way.size()));
  impl_->catalogue.saved(names);
  impl_->last_committed = batch.committed;
  impl_->samples_since_save += batch.samples.size();
  BatchPtr stored = std::make_shared<const Batch>(std::move(batch));
  impl_->tail.publish(stored);
  impl_->samples = impl_->writer->samples();
  impl_->events = impl_->writer->events();
  impl_->oldest = impl_->writer->oldest().time_since_epoch().count();
  return stored;
}

Status Journal::maintain() {
  const std::lock_guard lock(impl_->write_mutex);
  Writer& writer = *impl_->writer;
  Status status = impl_->look_for_damage();
  if (Status saved = impl_->save(false); !saved && status) status = std::move(saved);
  const Timestamp now = impl_->clock.now();
  // Not before a first cursor: then nobody has said yet how far he is.
  const Writer::Limits limits{
      now - impl_->options.retention, impl_->cursors.least_saved().value_or(Seq{0}), now - impl_->log_keep.load(),
      impl_->options.max_bytes,       impl_->options.when_full != WhenFull::reject,  impl_->options.max_events};
  if (Status retired = impl_->resist([&] { return writer.retire(limits); }); !retired && status)
    status = std::move(retired);
  if (const Seq first = impl_->tail.ends().first; writer.first() > first) {
    impl_->retired.add(static_cast<double>(number(writer.first()) - number(first)));
    impl_->tail.retire(writer.first());
  }
  if (Status done = impl_->resist([&] { return writer.checkpoint_if_due(); }); !done && status)
    status = std::move(done);
  impl_->reserve.make();
  impl_->note_sizes();
  return status;
}

Result<std::vector<BatchPtr>> Journal::read(Seq after, const ReadLimits& limits) const {
  const auto [first, last] = impl_->tail.ends();
  if (after >= last) return std::vector<BatchPtr>{};
  std::vector<BatchPtr> batches = impl_->tail.after(after, limits);
  if (!batches.empty()) return batches;
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  auto read = read_log(**connection, after, last, limits);
  if (!read) return read;
  impl_->note_damage(*read);
  return read;
}

bool Journal::wait(Seq after, Micros timeout, std::stop_token stop) const {
  return impl_->tail.wait(after, timeout, std::move(stop));
}
Seq Journal::last() const { return impl_->tail.ends().last; }
Timestamp Journal::last_committed() const {
  const std::lock_guard lock(impl_->write_mutex);
  return impl_->last_committed;
}
Seq Journal::first() const { return impl_->tail.ends().first; }

Result<Seq> Journal::position(std::string_view cursor, bool from_start) {
  if (const auto found = impl_->cursors.find(cursor)) return *found;
  const std::lock_guard lock(impl_->write_mutex);
  if (const auto found = impl_->cursors.find(cursor)) return *found;
  const auto [first, last] = impl_->tail.ends();
  const Seq at = from_start ? prev(first) : last;
  Writer::Upkeep upkeep;
  upkeep.cursors.emplace_back(cursor, at);
  // At once: after a crash a cursor that began at the end would else begin at a later one.
  Status saved = impl_->resist([&] { return impl_->writer->save(upkeep); });
  if (!saved) return fail(std::move(saved.error()));
  impl_->cursors.add(cursor, at);
  return at;
}

Status Journal::advance(std::string_view cursor, Seq to) {
  if (to > last())
    return fail(Errc::invalid, "cursor '{}' cannot move to {}: the log ends at {}", cursor, number(to), number(last()));
  return impl_->cursors.advance(cursor, to);
}

std::vector<Sample> Journal::latest() const { return impl_->tail.latest(impl_->catalogue.size()); }

Result<std::vector<AlertRecord>> Journal::alerts() const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return read_alerts(**connection);
}

Result<std::vector<StoredEvent>> Journal::events(const EventQuery& query) const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return read_events(**connection, query);
}

Result<Seq> Journal::alerts_retired() const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return read_alerts_retired(**connection);
}

Result<std::vector<SeriesHistory>> Journal::history(std::span<const SeriesId> series, Timestamp from, Timestamp to,
                                                    std::size_t max_points) const {
  if (from >= to || max_points == 0 || series.size() > kMaxHistoryBuckets / max_points) {
    return fail(Errc::invalid, "a history of {} series with {} points each over {} s cannot be made", series.size(),
                max_points, (to - from).count() / 1'000'000);
  }
  for (const SeriesId id : series) {
    if (index(id) >= impl_->catalogue.size()) return fail(Errc::not_found, "there is no series {}", index(id));
  }
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return impl_->archive.history(**connection, series, from, to, max_points);
}

void Journal::keep_log_for(Micros time) { impl_->log_keep = std::max(time, impl_->options.log_keep); }

Result<bool> Journal::compact(std::stop_token stop, bool at_once) {
  const auto from = position(kHistoryCursor);
  if (!from) return fail(from.error());
  const bool saved = impl_->cursors.is_saved(kHistoryCursor);
  auto progress = [&]() -> Result<history::Archive::Progress> {
    auto log = impl_->readers->take();
    if (!log) return fail(std::move(log.error()));
    return impl_->archive.step(**log, impl_->epoch, *from, saved, at_once, stop);
  }();
  if (!progress && progress.error().code == Errc::corrupt) impl_->suspicious = true;
  if (!progress) return fail(std::move(progress.error()));
  if (progress->notice) {
    Batch batch;
    batch.events.push_back({impl_->clock.now(), Notice{"storage", std::move(*progress->notice)}});
    if (const auto told = append(batch); !told) return fail(told.error());
  }
  if (Status status = advance(kHistoryCursor, progress->through); !status) return fail(std::move(status.error()));
  return progress->more;
}

Result<Seq> Journal::before(Timestamp time) const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  const auto [first, last] = impl_->tail.ends();
  const auto found = first_committed(**connection, time, first, last);
  if (!found) return found;
  return prev(*found);
}

void Journal::dead_letter(DeadLetter letter) { impl_->letters.add(std::move(letter)); }

Result<std::vector<Journal::StoredDeadLetter>> Journal::dead_letters(std::size_t limit) const {
  auto unsaved = impl_->letters.changes();  // first: what is saved meanwhile stands in both, and is given once
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  auto stored = read_dead_letters(**connection, limit);
  if (!stored) return stored;
  auto letters = merged(std::move(*stored), std::move(unsaved));
  letters.resize(std::min(letters.size(), limit));
  return letters;
}

Stats Journal::stats() const {
  const auto [first, last] = impl_->tail.ends();
  return {.batches = static_cast<std::uint64_t>(number(last) - number(first) + 1),
          .samples = impl_->samples,
          .events = impl_->events,
          .file_bytes = size_of(impl_->file) + size_of(impl_->file.string() + "-wal"),
          .used_bytes = impl_->used,
          .history_bytes = impl_->archive.bytes(),
          .first = first,
          .last = last,
          .oldest = std::min(Timestamp{Micros{impl_->oldest}}, impl_->archive.oldest())};
}

}  // namespace tidegate::journal
