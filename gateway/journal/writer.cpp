#include "gateway/journal/writer.h"

#include "gateway/journal/bytes.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/log_ends.h"
#include "gateway/journal/schema.h"
#include "gateway/journal/seen.h"

namespace tidegate::journal {
namespace {

constexpr std::uint64_t kCheckpointBytes = 4u << 20;  ///< of WAL

std::int64_t ticks(Timestamp time) { return time.time_since_epoch().count(); }
std::int64_t crc_of(std::string_view text) { return crc32c(text); }

}  // namespace

Times times_of(const Batch& batch) {
  if (batch.samples.empty()) return {batch.committed, batch.committed};
  Times times{batch.samples[0].time, batch.samples[0].time};
  for (const Sample& sample : batch.samples) {
    times.first = std::min(times.first, sample.time);
    times.last = std::max(times.last, sample.time);
  }
  return times;
}

Result<Writer> Writer::open(const std::filesystem::path& file) {
  Writer writer(file);
  if (Status status = writer.connect(); !status) return fail(std::move(status.error()));
  if (Status status = check_pages(*writer.connection_, file); !status) return fail(std::move(status.error()));
  if (Status status = writer.find_ends(); !status) return fail(std::move(status.error()));
  if (Status status = writer.measure(); !status) return fail(std::move(status.error()));
  return writer;
}

Status Writer::connect() {
  statements_.reset();
  connection_.reset();
  auto connection = open_database(file_);
  if (!connection) return fail(std::move(connection.error()));
  connection_ = std::move(*connection);
  const auto page_bytes = connection_->number("PRAGMA page_size");
  if (!page_bytes) return fail(page_bytes.error());
  page_bytes_ = static_cast<std::uint64_t>(*page_bytes);
  return prepare();
}

Status Writer::prepare() {
  Statements statements;
  const std::string oldest_batches = fmt::format(
      "SELECT seq, committed, length(data), samples_before + samples, samples_before, {} FROM batch WHERE seq >= ? "
      "ORDER BY seq LIMIT 256",
      sound_by(kBatchCrc));
  const std::pair<sql::Statement*, const char*> texts[] = {
      {&statements.series,
       "INSERT INTO series VALUES(?1,?2,?3,?4,?5,?6,?7, crc32c(?1,?2,?3,?4,?5,?6,?7)) ON CONFLICT(id) DO UPDATE SET "
       "kind=excluded.kind, unit=excluded.unit, source=excluded.source, expected_interval=excluded.expected_interval, "
       "labels=excluded.labels, crc=excluded.crc"},
      {&statements.label, kPutLabel},
      {&statements.batch,
       "INSERT INTO batch VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11, crc32c(?1,?2,?3,?4,?5,?6,?7,?11))"},
      {&statements.event, kPutEvent},
      {&statements.alert, "INSERT OR REPLACE INTO alert VALUES(?,?,?)"},
      {&statements.no_alert, "DELETE FROM alert WHERE id = ?"},
      {&statements.cursor, "INSERT OR REPLACE INTO cursor VALUES(?,?)"},
      {&statements.new_letter,
       "INSERT INTO dead_letter(time, times, source, topic, payload, reason) VALUES(?,?,?,?,?,?)"},
      {&statements.more_letter, "UPDATE dead_letter SET times = ? WHERE id = ?"},
      {&statements.old_letters, "DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?"},
      {&statements.meta, "INSERT OR REPLACE INTO meta VALUES(?,?)"},
      {&statements.page_count, "PRAGMA page_count"},
      {&statements.free_pages, "PRAGMA freelist_count"},
      {&statements.oldest_batches, oldest_batches.c_str()},
      {&statements.retire_batches, "DELETE FROM batch WHERE seq <= ?"},
      {&statements.retire_events, "DELETE FROM event WHERE id <= ?"},
      {&statements.snapshot, "INSERT OR REPLACE INTO snapshot VALUES(?,?)"},
  };
  for (const auto& [statement, text] : texts) {
    auto prepared = connection_->prepare(text);
    if (!prepared) return fail(std::move(prepared.error()));
    *statement = std::move(*prepared);
  }
  statements_ = std::move(statements);
  return {};
}

/// All that follows is counted from these two.
Result<Writer::EndRow> Writer::end_row(const char* direction) {
  auto row = connection_->prepare(
      fmt::format("SELECT seq, committed, samples_before, samples, {} FROM batch ORDER BY seq {} LIMIT 1",
                  sound_by(kBatchCrc), direction));
  if (!row) return fail(std::move(row.error()));
  const Result<bool> there = row->step();
  if (!there) return fail(there.error());
  if (!*there) return EndRow{};
  if (row->integer(4) == 0) {
    return fail(Errc::corrupt, "{}: the row of batch {} is damaged", file_.string(), row->integer(0));
  }
  return EndRow{Seq{row->integer(0)}, Timestamp{Micros{row->integer(1)}}, row->integer(2), row->integer(3)};
}

/// A table may seem to begin later than it does, and no row of it tells.
Status Writer::check_beginning(const EndRow& oldest) {
  const auto gone = retired(*connection_);
  if (!gone) return fail(gone.error());
  const Seq first = next(Seq{gone->seq});
  if (!gone->ends_before(number(oldest.seq), oldest.samples_before)) return {};
  Seen told;
  told.add(found_.lost);
  if (told.add(first, prev(oldest.seq)) == 0) return {};
  return fail(Errc::corrupt, "{}: of the batches {} to {} some are missing", file_.string(), number(first),
              number(oldest.seq) - 1);
}

/// How many there are, and so which of them go, is told by the first number and the last.
Status Writer::check_event_ends() {
  const auto missing = connection_->number(
      "SELECT coalesce((SELECT min(id) FROM event), 0) > value + 1 FROM meta WHERE key = 'events_retired'");
  if (!missing) return fail(missing.error());
  if (*missing != 0) return fail(Errc::corrupt, "{}: the oldest events are missing", file_.string());
  for (const bool newest : {false, true}) {
    const auto end = end_of_events(*connection_, newest);
    if (!end) return fail(end.error());
    if (!end->in_a_row()) {
      return fail(Errc::corrupt, "{}: the number of event {} is damaged", file_.string(), end->outermost);
    }
  }
  return {};
}

Status Writer::find_ends() {
  const auto epoch = connection_->text("SELECT value FROM meta WHERE key = 'epoch'");
  if (!epoch) return fail(epoch.error());
  if (epoch->empty()) return fail(Errc::corrupt, "{} has no epoch", file_.string());
  found_.epoch = *epoch;
  auto of_history = history_epoch(*connection_);
  if (!of_history) return fail(std::move(of_history.error()));
  found_.history_epoch = std::move(*of_history);
  const auto oldest = end_row("");
  if (!oldest) return fail(oldest.error());
  const auto newest = end_row("DESC");
  if (!newest) return fail(newest.error());
  auto lost = connection_->text("SELECT value FROM meta WHERE key = 'lost'");
  if (!lost) return fail(std::move(lost.error()));
  found_.lost = std::move(*lost);
  if (Status status = check_beginning(*oldest); !status) return status;
  std::int64_t time = 0;
  const std::pair<const char*, std::int64_t*> numbers[] = {
      {"SELECT value FROM meta WHERE key = 'time'", &time},
      {"SELECT coalesce(min(id), 1) FROM event", &events_first_},
      {"SELECT coalesce(max(id), 0) FROM event", &events_last_},
  };
  for (const auto& [query, number] : numbers) {
    const auto found = connection_->number(query);
    if (!found) return fail(found.error());
    *number = *found;
  }
  if (Status status = check_event_ends(); !status) return status;
  const auto event_bytes = connection_->number("SELECT value FROM meta WHERE key = 'event_bytes'");
  if (!event_bytes) return fail(event_bytes.error());
  event_bytes_ = static_cast<std::uint64_t>(*event_bytes);
  if (Status status = count_snapshots(); !status) return status;
  oldest_ = oldest->committed;
  samples_retired_ = oldest->samples_before;
  samples_total_ = newest->samples_before + newest->samples;
  first_ = found_.first = newest->seq == Seq{0} ? Seq{1} : oldest->seq;
  last_ = found_.last = newest->seq;
  found_.last_committed = newest->committed;
  found_.time = Timestamp{Micros{time}};
  return find_unsettled();
}

/// Few rows, and SQLite knows a blob's length without reading it.
Status Writer::count_snapshots() {
  const auto bytes = connection_->number("SELECT coalesce(sum(length(data)), 0) FROM snapshot");
  if (!bytes) return fail(bytes.error());
  snapshot_bytes_ = static_cast<std::uint64_t>(*bytes);
  return {};
}

Status Writer::mend() {
  if (!broken_) return {};
  if (Status status = connect(); !status) return status;
  if (!ends_known_) {
    if (Status status = find_ends(); !status) return status;
    if (Status status = measure(); !status) return status;
    ends_known_ = true;
  }
  broken_ = false;
  leftovers_ = true;
  return {};
}

/// In the transaction of what comes in its place: before it, the alerts would be those of a batch that is not there.
Status Writer::remove_leftovers() {
  if (!leftovers_) return {};
  const std::string leftovers = fmt::format(
      "DELETE FROM batch WHERE seq > {0}; DELETE FROM event WHERE id > {1};"
      "DELETE FROM snapshot WHERE seq > {0};",
      number(last_), events_last_);
  return connection_->run(leftovers.c_str());
}

Status Writer::guarded(const std::function<Status()>& work) {
  const auto attempt = [&]() -> Status {
    if (Status status = mend(); !status) return status;
    auto transaction = sql::Transaction::begin(*connection_);
    if (!transaction) return fail(std::move(transaction.error()));
    if (Status status = work(); !status) return status;
    return transaction->commit();
  };
  Status status = attempt();
  full_ = !status && status.error().code == Errc::full;
  if (status) return status;
  broken_ = !full_;
  if (status.error().code == Errc::corrupt) suspect(file_);
  return status;
}

Status Writer::append(const Batch& batch, const Catalogue::Unsaved& names, Unset unset) {
  const std::uint64_t event_bytes = event_bytes_;
  const std::uint64_t snapshot_bytes = snapshot_bytes_;
  Status status = guarded([&]() -> Status {
    if (Status removed = remove_leftovers(); !removed) return removed;
    if (Status put = put_epoch(); !put) return put;
    if (Status put = put_names(names); !put) return put;
    const auto events = static_cast<std::int64_t>(batch.events.size());
    if (Status put = put_batch(batch, events, samples_total_, unset); !put) return put;
    if (Status put = unset && unsettled_.first == Seq{0} ? put_unset(batch.seq) : Status{}; !put) return put;
    if (Status put = put_events(batch); !put) return put;
    return put_alerts(batch.alerts);
  });
  if (!status) {
    event_bytes_ = event_bytes;
    snapshot_bytes_ = snapshot_bytes;
    return status;
  }
  leftovers_ = false;
  new_epoch_ = false;
  if (oldest_ == Timestamp{}) oldest_ = batch.committed;
  last_ = batch.seq;
  if (unset) {
    tells_of_unset_ = true;
    unsettled_ = {unsettled_.first == Seq{0} ? batch.seq : unsettled_.first, batch.seq};
  }
  samples_total_ += static_cast<std::int64_t>(batch.samples.size());
  events_last_ += static_cast<std::int64_t>(batch.events.size());
  return {};
}

Status Writer::put_names(const Catalogue::Unsaved& names) {
  for (const Catalogue::Entry& entry : names.series) {
    const SeriesInfo& info = entry.info;
    const std::string labels = to_json(info.labels);
    statements_->series.bind(static_cast<std::int64_t>(entry.id), entry.name, static_cast<std::int64_t>(info.kind),
                             info.unit, info.source, info.expected_interval.count(), labels);
    if (Status status = statements_->series.run(); !status) return status;
  }
  for (std::size_t i = 0; i < names.labels.size(); ++i) {
    const auto& [series, code] = names.labels[i];
    statements_->label.bind(static_cast<std::int64_t>(series), std::int64_t{code}, names.label_texts[i]);
    if (Status status = statements_->label.run(); !status) return status;
  }
  return {};
}

Status Writer::put_batch(const Batch& batch, std::int64_t events, std::int64_t samples_before, Unset unset) {
  const Times times = times_of(batch);
  const std::string data = encode(batch.samples);
  const auto samples = static_cast<std::int64_t>(batch.samples.size());
  const std::string alerts = batch.alerts.empty() ? std::string() : to_json(std::span(batch.alerts));
  const auto text = alerts.empty() ? std::nullopt : std::optional<std::string_view>(alerts);
  const auto crc = alerts.empty() ? std::nullopt : std::optional<std::int64_t>(crc_of(alerts));
  statements_->batch.bind(number(batch.seq), ticks(batch.committed), ticks(times.first), ticks(times.last), samples,
                          samples_before, events, text, crc, sql::Blob{data},
                          unset ? std::optional(unset->count()) : std::nullopt);
  return statements_->batch.run();
}

Status Writer::put_events(const Batch& batch) {
  if (batch.events.empty()) return {};
  std::int64_t id = events_last_;
  std::int64_t ordinal = 0;
  for (const Event& event : batch.events) {
    const std::string json = to_json(event);
    const auto* snapshot = std::get_if<Snapshot>(&event.body);
    const std::int64_t alert = snapshot != nullptr ? 2 : of_alerts(event.body) ? 1 : 0;
    statements_->event.bind(++id, number(batch.seq), ordinal++, alert, json);
    if (Status status = statements_->event.run(); !status) return status;
    event_bytes_ += json.size();
    if (snapshot == nullptr) continue;
    statements_->snapshot.bind(number(batch.seq), sql::Blob{snapshot->columns});
    if (Status status = statements_->snapshot.run(); !status) return status;
    snapshot_bytes_ += snapshot->columns.size();
  }
  statements_->meta.bind("event_bytes", static_cast<std::int64_t>(event_bytes_));
  return statements_->meta.run();
}

Status Writer::put_alerts(std::span<const AlertRecord> alerts) {
  for (const AlertRecord& alert : alerts) {
    if (over(alert)) {
      if (Status status = statements_->no_alert.bind(alert.id).run(); !status) return status;
      continue;
    }
    const std::string json = to_json(alert);
    if (Status status = statements_->alert.bind(alert.id, json, crc_of(json)).run(); !status) return status;
  }
  return {};
}

Status Writer::save(Upkeep& upkeep) {
  return guarded([&]() -> Status {
    for (const auto& [name, at] : upkeep.cursors) {
      if (Status status = statements_->cursor.bind(name, number(at)).run(); !status) return status;
    }
    if (upkeep.latest) {
      if (Status status = put_latest(*upkeep.latest); !status) return status;
    }
    if (upkeep.time) {
      if (Status status = statements_->meta.bind("time", ticks(*upkeep.time)).run(); !status) return status;
    }
    if (upkeep.lost) {
      if (Status status = statements_->meta.bind("lost", *upkeep.lost).run(); !status) return status;
    }
    return put_letters(upkeep);
  });
}

Status Writer::put_latest(const std::string& latest) {
  if (Status status = statements_->meta.bind("latest", sql::Blob{latest}).run(); !status) return status;
  if (Status status = statements_->meta.bind("latest_seq", number(last_)).run(); !status) return status;
  return statements_->meta.bind("latest_samples", samples_total_).run();
}

Status Writer::put_letters(Upkeep& upkeep) {
  for (DeadLetters::Change& change : upkeep.letters) {
    const DeadLetter& letter = change.letter;
    const auto times = static_cast<std::int64_t>(change.times);
    if (change.id != 0) {
      if (Status status = statements_->more_letter.bind(times, change.id).run(); !status) return status;
      continue;
    }
    statements_->new_letter.bind(ticks(letter.time), times, letter.source, letter.topic, sql::Blob{letter.payload},
                                 letter.reason);
    if (Status status = statements_->new_letter.run(); !status) return status;
    change.id = connection_->last_id();
  }
  if (upkeep.letters.empty()) return {};
  return statements_->old_letters.bind(static_cast<std::int64_t>(upkeep.max_letters)).run();
}

Status Writer::checkpoint_if_due() {
  if (Status status = mend(); !status) return status;
  // On a full disk a checkpoint may make room where it costs nothing: in the WAL's own file, which is then used again.
  if (static_cast<std::uint64_t>(connection_->wal_frames()) * page_bytes_ < kCheckpointBytes && !full_) return {};
  return checkpoint(false);
}

Status Writer::checkpoint(bool truncate) {
  Status status = connection_->checkpoint(truncate);
  if (!status && status.error().code != Errc::full) broken_ = true;
  return status;
}

void Writer::continue_after(Seq last, std::int64_t samples_total) {
  last_ = last;
  samples_total_ = samples_total;
}

void Writer::continue_events(std::int64_t last, std::uint64_t bytes) {
  events_last_ = last;
  event_bytes_ = bytes;
}

void Writer::abandon() {
  statements_.reset();
  connection_.reset();
  broken_ = true;
  ends_known_ = false;
}

Status Writer::verify() {
  if (Status status = mend(); !status) return status;
  return check_every_page(*connection_, file_);
}

void Writer::begin_epoch() {
  found_.epoch = random_epoch();
  new_epoch_ = true;
}

/// History goes on under the old one: what it has of that has numbers before those to come.
Status Writer::put_epoch() {
  if (!new_epoch_) return {};
  if (Status status = statements_->meta.bind("history_epoch", found_.history_epoch).run(); !status) return status;
  return statements_->meta.bind("epoch", found_.epoch).run();
}

void Writer::close(const std::function<void()>& closed) {
  statements_.reset();
  if (connection_ && !broken_ && connection_->make_whole()) closed();
  connection_.reset();  // else with its WAL, which the next open replays
}

}  // namespace tidegate::journal
