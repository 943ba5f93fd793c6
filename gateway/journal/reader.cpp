#include "gateway/journal/reader.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "gateway/journal/bytes.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/damaged_keys.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal {
namespace {

constexpr std::size_t kIdleConnections = 4;

constexpr const char* kBatchColumns = "seq, committed, samples, events, alerts, alerts_crc, data";

/// From kEventColumns; nothing where it is damaged.
std::optional<Event> event_of(const sql::Statement& row, int at) {
  if (!is_sound_event(row, at)) return std::nullopt;
  auto event = event_from_json(row.text(at));
  return event ? std::optional(std::move(*event)) : std::nullopt;
}

/// One batch from the row that `row` stands on; Errc::corrupt where any part of it is damaged.
class BatchRows {
 public:
  static Result<BatchRows> prepare(sql::Connection& connection) {
    BatchRows rows;
    const std::string select =
        fmt::format("SELECT {}, {} FROM batch WHERE", kBatchColumns, sound_by(connection, kBatchCrc));
    auto range = connection.prepare(select + " seq >= ? AND seq <= ? ORDER BY seq");
    auto events = connection.prepare(fmt::format("SELECT {} FROM event WHERE seq = ? ORDER BY ordinal", kEventColumns));
    if (!range) return fail(std::move(range.error()));
    if (!events) return fail(std::move(events.error()));
    rows.range_ = std::move(*range);
    rows.events_ = std::move(*events);
    return rows;
  }

  void start(Seq from, Seq until) { range_.bind(number(from), number(until)); }

  /// The next row's batch, null at the end. An error that is not the batch's own ends the scan: `scan_failed`.
  Result<std::shared_ptr<Batch>> next(Seq& seq, bool& scan_failed) {
    const Result<bool> row = range_.step();
    scan_failed = !row;
    if (!row) return fail(row.error());
    if (!*row) return nullptr;
    seq = Seq{range_.integer(0)};
    return batch_of(range_);
  }

  /// Can the scan begin at `from`? A failure that is no damage is met, and told, by the scan itself.
  bool readable(Seq from, Seq until) {
    start(from, until);
    const Result<bool> row = range_.step();
    return row || row.error().code != Errc::corrupt;
  }

 private:
  Result<std::shared_ptr<Batch>> batch_of(sql::Statement& row) {
    auto batch = std::make_shared<Batch>();
    batch->seq = Seq{row.integer(0)};
    batch->committed = Timestamp{Micros{row.integer(1)}};
    if (row.integer(7) == 0) return fail(Errc::corrupt, "the row of batch {} is damaged", number(batch->seq));
    if (Status status = decode(row.text(6), batch->samples); !status) return fail(std::move(status.error()));
    if (static_cast<std::int64_t>(batch->samples.size()) != row.integer(2)) {
      return fail(Errc::corrupt, "batch {} has another number of samples than it says", number(batch->seq));
    }
    if (row.integer(3) > 0) {
      if (Status status = take_events(*batch); !status) return fail(std::move(status.error()));
    }
    if (!row.null(4)) {
      if (!fits(row.text(4), row.integer(5))) return fail(Errc::corrupt, "alerts of batch {}", number(batch->seq));
      auto alerts = alerts_from_json(row.text(4));
      if (!alerts) return fail(std::move(alerts.error()));
      batch->alerts = std::move(*alerts);
    }
    return batch;
  }

  Status take_events(Batch& batch) {
    events_.bind(number(batch.seq));
    while (true) {
      const Result<bool> row = events_.step();
      if (!row) return fail(row.error());
      if (!*row) return {};
      if (auto event = event_of(events_, 0)) {
        batch.events.push_back(std::move(*event));
      } else {
        ++batch.damaged_events;
      }
    }
  }

  sql::Statement range_, events_;
};

/// What is given out so far, with neighbouring gaps of one cause as one.
class Output {
 public:
  explicit Output(const ReadLimits& limits) : limits_(limits) {}

  bool full() const { return samples_ >= limits_.max_samples || batches_.size() >= limits_.max_batches; }
  /// False when it does not fit any more.
  bool add(std::shared_ptr<Batch> batch) {
    if (!batches_.empty() && samples_ + batch->samples.size() > limits_.max_samples) return false;
    samples_ += batch->samples.size();
    batches_.push_back(std::move(batch));
    return true;
  }
  void add_gap(Seq first, Seq last, const char* why) {
    if (!batches_.empty()) {
      Batch& before = *batches_.back();
      if (before.gap && before.gap->why == why && next(before.gap->last) == first) {
        before.seq = before.gap->last = last;
        return;
      }
    }
    auto batch = std::make_shared<Batch>();
    batch->seq = last;
    batch->gap = Gap{first, last, why};
    batches_.push_back(std::move(batch));
  }
  std::vector<BatchPtr> take() { return {batches_.begin(), batches_.end()}; }

 private:
  const ReadLimits limits_;
  std::vector<std::shared_ptr<Batch>> batches_;
  std::size_t samples_ = 0;
};

/// Where the tree itself is damaged a scan cannot pass. Returns where it can go on.
Seq pass_damage(BatchRows& rows, Seq from, Seq until, Output& out) {
  const auto readable = [&](std::int64_t seq) { return rows.readable(Seq{seq}, until); };
  const Seq behind{behind_damage(number(from), number(until), readable)};
  out.add_gap(from, prev(behind), kDamaged);
  return behind;
}

void add_hole(Output& out, Seq from, Seq to, Seq first) {
  if (from < first) out.add_gap(from, std::min(to, prev(first)), kRetention);
  if (to >= first) out.add_gap(std::max(from, first), to, kDamaged);
}

Status read_range(BatchRows& rows, Seq after, Seq until, Seq first, Output& out) {
  Seq expected = next(after);
  rows.start(expected, until);
  while (!out.full() && expected <= until) {
    Seq seq{};
    bool scan_failed = false;
    Result<std::shared_ptr<Batch>> batch = rows.next(seq, scan_failed);
    if (!batch && batch.error().code != Errc::corrupt) return fail(std::move(batch.error()));
    if (scan_failed) {
      expected = pass_damage(rows, expected, until, out);
      rows.start(expected, until);
      continue;
    }
    if (batch && !*batch) {
      add_hole(out, expected, until, first);
      return {};
    }
    if (seq < expected) continue;  // the tree is out of order
    if (seq > expected) add_hole(out, expected, prev(seq), first);
    if (!batch) {
      out.add_gap(seq, seq, kDamaged);
    } else if (!out.add(std::move(*batch))) {
      return {};
    }
    expected = next(seq);
  }
  return {};
}

}  // namespace

Result<Readers::Lease> Readers::take() {
  const std::lock_guard lock(mutex_);
  if (!idle_.empty()) {
    Lease lease(*this, std::move(idle_.back()), generation_);
    idle_.pop_back();
    return lease;
  }
  auto connection = sql::Connection::open(file_, sql::Connection::Access::read);
  if (!connection) return fail(std::move(connection.error()));
  return Lease(*this, std::move(*connection), generation_);
}

void Readers::give_back(sql::Connection connection, unsigned generation) {
  const std::lock_guard lock(mutex_);
  if (generation == generation_ && idle_.size() < kIdleConnections) idle_.push_back(std::move(connection));
}

Status Readers::move_over(const std::function<Status()>& swap) {
  const std::lock_guard lock(mutex_);
  idle_.clear();
  ++generation_;
  return swap();
}

Result<std::vector<BatchPtr>> read_log(sql::Connection& connection, Seq after, Seq until, const ReadLimits& limits) {
  auto snapshot = sql::Transaction::snapshot(connection);
  if (!snapshot) return fail(std::move(snapshot.error()));
  auto rows = BatchRows::prepare(connection);
  if (!rows) return fail(std::move(rows.error()));
  // What is missing before the oldest batch is retention's doing, the rest damage.
  const auto first = connection.number("SELECT min(seq) FROM batch");
  if (!first && first.error().code != Errc::corrupt) return fail(first.error());
  Output out(limits);
  Status status = read_range(*rows, after, until, first ? Seq{*first} : Seq{0}, out);
  if (!status) return fail(std::move(status.error()));
  return out.take();
}

Result<std::vector<StoredEvent>> read_events(sql::Connection& connection, const EventQuery& query) {
  const char* direction = query.newest_first ? "DESC" : "ASC";
  const char* which = query.alerts_only ? "AND alert = 1" : query.snapshots_only ? "AND alert = 2" : "";
  auto rows =
      connection.prepare(fmt::format("SELECT seq, ordinal, {} FROM event WHERE seq > ? AND (seq, ordinal) < (?, ?) {} "
                                     "ORDER BY seq {}, ordinal {}",
                                     kEventColumns, which, direction, direction));
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(number(query.after), number(query.before.seq), std::int64_t{query.before.ordinal});
  std::vector<StoredEvent> events;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    // No LIMIT in the query: one that is left out does not count, or a reader would take fewer than `limit` for the
    // last.
    if (!*row || events.size() == query.limit) return events;
    auto event = event_of(*rows, 2);
    if (!event && !query.damaged_too) continue;
    events.push_back({Seq{rows->integer(0)}, static_cast<int>(rows->integer(1)), !event, event.value_or(Event{})});
  }
}

Result<bool> has_snapshots(sql::Connection& connection) {
  const auto tables = connection.number("SELECT count(*) FROM sqlite_schema WHERE name = 'snapshot'");
  return tables ? Result<bool>(*tables > 0) : fail(tables.error());
}

Result<Commit> read_commit(sql::Connection& connection, Seq batch) {
  auto rows = connection.prepare("SELECT seq, committed FROM batch WHERE seq >= ? ORDER BY seq LIMIT 1");
  if (!rows) return fail(std::move(rows.error()));
  const Result<bool> row = rows->bind(number(batch)).step();
  if (!row) return fail(row.error());
  if (!*row) return fail(Errc::not_found, "no batch from {} on is held", number(batch));
  return Commit{Seq{rows->integer(0)}, Timestamp{Micros{rows->integer(1)}}};
}

Result<Seq> read_retired(sql::Connection& connection, const char* key) {
  const auto seq = connection.number(fmt::format("SELECT value FROM meta WHERE key = '{}'", key));
  if (!seq) return fail(seq.error());
  return Seq{*seq};
}

Result<std::vector<Sample>> read_snapshot(sql::Connection& connection, Seq seq) {
  auto row = connection.prepare("SELECT data FROM snapshot WHERE seq = ?");
  if (!row) return fail(std::move(row.error()));
  const Result<bool> there = row->bind(number(seq)).step();
  if (!there) return fail(there.error());
  if (!*there) return fail(Errc::not_found, "the samples of snapshot {} had to make room for newer ones", number(seq));
  return decode(row->text(0));
}

namespace {

std::optional<AlertRecord> alert_of(sql::Statement& row) {
  if (!fits(row.text(1), row.integer(2))) return std::nullopt;
  auto alert = alert_from_json(row.text(1));
  return alert && alert->id == row.text(0) ? std::optional(std::move(*alert)) : std::nullopt;
}

/// Each of `records` as the newest event tells of it; one that none tells of is left as it is.
Status restore_as_told(sql::Connection& connection, std::span<AlertRecord> records) {
  auto rows = connection.prepare(
      fmt::format("SELECT {} FROM event WHERE alert = 1 ORDER BY seq DESC, ordinal DESC", kEventColumns));
  if (!rows) return fail(std::move(rows.error()));
  std::vector<AlertRecord*> wanted;
  for (AlertRecord& record : records) wanted.push_back(&record);
  while (!wanted.empty()) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    const auto event = event_of(*rows, 0);
    const auto* told = event ? std::get_if<AlertTransition>(&event->body) : nullptr;
    if (told == nullptr) continue;
    std::erase_if(wanted, [&](AlertRecord* record) {
      if (record->id != told->alert.id) return false;
      *record = told->alert;
      return true;
    });
  }
  return {};
}

}  // namespace

Result<Alerts> read_alerts(sql::Connection& connection) {
  auto rows = connection.prepare("SELECT id, json, crc FROM alert ORDER BY id");
  if (!rows) return fail(std::move(rows.error()));
  Alerts alerts;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    if (auto alert = alert_of(*rows)) {
      alerts.records.push_back(std::move(*alert));
    } else {
      alerts.mended.push_back({.id = std::string(rows->text(0))});
    }
  }
  if (alerts.mended.empty()) return alerts;
  if (Status status = restore_as_told(connection, alerts.mended); !status) return fail(std::move(status.error()));
  std::copy_if(alerts.mended.begin(), alerts.mended.end(), std::back_inserter(alerts.records),
               [](const AlertRecord& alert) { return !over(alert); });
  std::sort(alerts.records.begin(), alerts.records.end(),
            [](const AlertRecord& a, const AlertRecord& b) { return a.id < b.id; });
  return alerts;
}

Result<std::vector<Journal::StoredDeadLetter>> read_dead_letters(sql::Connection& connection, std::size_t limit,
                                                                 std::optional<std::int64_t> before) {
  auto rows = connection.prepare(
      "SELECT id, times, time, source, topic, payload, reason FROM dead_letter WHERE id < ? ORDER BY id DESC LIMIT ?");
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(before.value_or(INT64_MAX), static_cast<std::int64_t>(limit));
  std::vector<Journal::StoredDeadLetter> letters;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return letters;
    letters.push_back({rows->integer(0),
                       static_cast<std::uint64_t>(rows->integer(1)),
                       {Timestamp{Micros{rows->integer(2)}}, std::string(rows->text(3)), std::string(rows->text(4)),
                        std::string(rows->text(5)), std::string(rows->text(6))}});
  }
}

Result<Seq> first_committed(sql::Connection& connection, Timestamp time, Seq first, Seq last) {
  auto at = connection.prepare("SELECT committed FROM batch WHERE seq >= ? ORDER BY seq LIMIT 1");
  if (!at) return fail(std::move(at.error()));
  std::int64_t low = number(first);
  std::int64_t high = number(last) + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const Result<bool> row = at->bind(middle).step();
    if (!row) return fail(row.error());
    if (*row && Timestamp{Micros{at->integer(0)}} < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return Seq{low};
}

}  // namespace tidegate::journal
