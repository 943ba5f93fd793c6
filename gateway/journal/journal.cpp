#include "gateway/journal/journal.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "gateway/journal/codec.h"
#include "gateway/journal/journal_impl.h"
#include "gateway/journal/restore.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxHistoryBuckets = 1u << 20;

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

bool holds_snapshot(const Batch& batch) {
  return std::any_of(batch.events.begin(), batch.events.end(),
                     [](const Event& event) { return std::holds_alternative<Snapshot>(event.body); });
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

}  // namespace

Status Journal::Impl::store(Batch& batch, const Catalogue::Unsaved& names) {
  const bool is_of_alerts = batch.samples.empty() && !holds_snapshot(batch);
  if (!is_of_alerts && !reserve.make()) {
    return fail(Errc::full, "the disk of {} is full: what is left of it is kept for alerts", file.string());
  }
  const auto put = [&] {
    batch.seq = next(tail.ends().last);
    const Moment now = clock.moment();
    batch.committed = std::max(now.time, last_committed);
    Status status = writer->append(batch, names, Writer::unset(now));
    if (!status) return status;
    first_unsettled = number(writer->unsettled().first);  // before any reader sees the batch
    return status;
  };
  Status status = resist(put);
  const bool room_helps = !status && status.error().code == Errc::full && is_of_alerts;
  return room_helps && reserve.spend() ? resist(put) : status;
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

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

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
  for (Event& event : batch.events) {
    if (auto* snapshot = std::get_if<Snapshot>(&event.body)) snapshot->columns = {};  // as readers get it
  }
  BatchPtr stored = std::make_shared<const Batch>(std::move(batch));
  impl_->tail.publish(stored);
  impl_->samples = impl_->writer->samples();
  impl_->events = impl_->writer->events();
  impl_->oldest = impl_->writer->oldest().time_since_epoch().count();
  return stored;
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

Seq Journal::settled() const {
  const Seq last = this->last();  // first: what is unsettled of it is told before
  const std::int64_t first = impl_->first_unsettled;
  return first == 0 ? last : std::min(last, Seq{first - 1});
}

bool Journal::wait(Seq after, Micros timeout, std::stop_token stop) const {
  return impl_->tail.wait(after, timeout, std::move(stop));
}
Seq Journal::last() const { return impl_->tail.ends().last; }
Timestamp Journal::left_off() const {
  const std::lock_guard lock(impl_->write_mutex);
  return std::max(impl_->last_committed, impl_->time_saved);
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
  auto alerts = impl_->alerts();
  if (!alerts) return fail(std::move(alerts.error()));
  return std::move(alerts->records);
}

Result<std::vector<StoredEvent>> Journal::events(const EventQuery& query) const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return impl_->noted(read_events(**connection, query));
}

Result<Seq> Journal::alerts_retired() const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return impl_->noted(read_retired(**connection, "alerts_retired_through"));
}

Result<Seq> Journal::snapshots_retired() const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return impl_->noted(read_retired(**connection, "snapshots_retired_through"));
}

Result<std::vector<Sample>> Journal::snapshot(Seq seq) const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return read_snapshot(**connection, seq);
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
  const auto tell_repair = [this]() -> Status {
    if (!impl_->repaired) return {};
    Batch batch;
    batch.events.push_back({impl_->clock.now(), Notice{"storage", *impl_->repaired}});
    if (const auto told = append(batch); !told) return fail(told.error());
    impl_->repaired.reset();
    return {};
  };
  if (Status told = tell_repair(); !told) return fail(std::move(told.error()));
  if (!impl_->clock.moment().settled || impl_->first_unsettled > 0) return false;  // of what time would it be?
  const auto from = position(kHistoryCursor);
  if (!from) return fail(from.error());
  const bool saved = impl_->cursors.is_saved(kHistoryCursor);
  auto progress = [&]() -> Result<history::Archive::Progress> {
    auto log = impl_->readers->take();
    if (!log) return fail(std::move(log.error()));
    return impl_->archive.step(**log, {impl_->history_epoch, *from, last()}, saved, at_once, stop);
  }();
  if (!progress && progress.error().code == Errc::corrupt) impl_->suspicious = true;
  if (!progress) return fail(std::move(progress.error()));
  impl_->repaired = std::move(progress->notice);
  if (Status told = tell_repair(); !told) return fail(std::move(told.error()));
  if (Status status = advance(kHistoryCursor, progress->through); !status) return fail(std::move(status.error()));
  return progress->more;
}

Result<Seq> Journal::before(Timestamp time) const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  const auto [first, last] = impl_->tail.ends();
  const auto found = impl_->noted(first_committed(**connection, time, first, last));
  if (!found) return found;
  return prev(*found);
}

Result<Commit> Journal::commit_of(Seq batch) const {
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  return impl_->noted(read_commit(**connection, batch));
}

void Journal::dead_letter(DeadLetter letter) { impl_->letters.add(std::move(letter)); }

Result<std::vector<Journal::StoredDeadLetter>> Journal::dead_letters(std::size_t limit,
                                                                     std::optional<std::int64_t> before) const {
  auto unsaved = impl_->letters.changes();  // first: what is saved meanwhile stands in both, and is given once
  if (before) std::erase_if(unsaved, [](const auto& change) { return change.id == 0; });
  auto connection = impl_->readers->take();
  if (!connection) return fail(std::move(connection.error()));
  auto stored = impl_->noted(read_dead_letters(**connection, limit, before));
  if (!stored) return stored;
  auto letters = merged(std::move(*stored), std::move(unsaved));
  letters.resize(std::min(letters.size(), limit));
  return letters;
}

Stats Journal::stats() const {
  const auto [first, last] = impl_->tail.ends();
  return {.samples = impl_->samples,
          .events = impl_->events,
          .file_bytes = size_of(impl_->file) + size_of(impl_->file.string() + "-wal"),
          .used_bytes = impl_->used,
          .history_bytes = impl_->archive.bytes(),
          .first = first,
          .last = last,
          .oldest = std::min(Timestamp{Micros{impl_->oldest}}, impl_->archive.oldest())};
}

}  // namespace tidegate::journal
