#include "gateway/journal/salvage.h"

#include <algorithm>

#include "gateway/core/time_text.h"
#include "gateway/journal/bytes.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/keyed_rows.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/schema.h"
#include "gateway/journal/writer.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBytesAStep = 4u << 20;
constexpr std::int64_t kRowsAStep = 4'096;

class Salvage {
 public:
  Salvage(const fs::path& file, const std::optional<Known>& known, const std::function<void()>& step)
      : known_(known), step_(step), history_(file.parent_path() / "history") {
    auto source = sql::twice([&] { return sql::Connection::open(file, sql::Connection::Access::salvage); });
    if (source) source_ = std::move(*source);
    const auto read = [this] { return source_ ? history_epoch(*source_) : fail(Errc::corrupt, "not readable"); };
    of_history_ = known ? known->history_epoch : sql::twice(read).value_or(std::string());
    has_crc_ = source_ && sql::twice([this] { return source_->prepare("SELECT crc, unset FROM batch"); });
  }

  Status into(Writer& fresh, const Error& why, const Moment& now, Salvaged& result);

 private:
  /// A file of schema 1 has none.
  std::string sound(const char* crc) const { return has_crc_ ? sound_by(crc) : "1"; }
  std::int64_t ask(std::string_view query, std::int64_t otherwise, bool* answered = nullptr);
  bool is_whole(const char* query);
  std::int64_t end_of_events(const char* direction, std::int64_t otherwise);
  void find_ends();
  Status put_epoch(Writer& fresh);
  Status put_names(Writer& fresh);
  Status put_states(Writer& fresh);
  Status put_events(Writer& fresh);
  Status put_batches(Writer& fresh);
  Result<bool> take_batch(Writer& fresh, sql::Statement& row);
  std::vector<Catalogue::Entry> read_names();
  std::string in_words(const Error& why, const std::string& aside, Timestamp now) const;

  const std::optional<Known>& known_;
  const std::function<void()>& step_;
  const fs::path history_;
  std::optional<sql::Connection> source_;
  std::string of_history_;  ///< under which history knows the log; empty: who knows
  bool has_crc_ = false;
  Losses lost_;
  std::uint64_t read_batches_ = 0, read_events_ = 0;
  bool last_is_certain_ = true;
  std::int64_t first_ = 1, last_ = 0, first_event_ = 1, last_event_ = 0;
  std::int64_t samples_retired_ = 0, samples_total_ = 0;
  Timestamp last_committed_{};
  // While the batches are read.
  std::int64_t samples_before_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<Sample> samples_;
  std::int64_t most_id_ = -1;  ///< the largest series id that a batch refers to
};

std::int64_t Salvage::ask(std::string_view query, std::int64_t otherwise, bool* answered) {
  if (source_) {
    if (const auto number = sql::twice([&] { return source_->number(query); })) return *number;
  }
  if (answered != nullptr) *answered = false;
  return otherwise;
}

std::int64_t Salvage::end_of_events(const char* direction, std::int64_t otherwise) {
  if (!source_) return otherwise;
  const std::string query = fmt::format("SELECT id, json, crc FROM event ORDER BY id {} LIMIT 1", direction);
  auto rows = sql::twice([&] { return source_->prepare(query); });
  const Result<bool> row = rows ? sql::twice([&] { return rows->step(); }) : Result<bool>(fail(rows.error()));
  if (row && !*row) return otherwise;
  lost_.exact = lost_.exact && row && fits(rows->text(1), rows->integer(2));
  return lost_.exact ? rows->integer(0)
                     : ask(fmt::format("SELECT id FROM event ORDER BY id {} LIMIT 1", direction), otherwise);
}

/// A page in another's place has numbers too, but no batches.
bool Salvage::is_whole(const char* query) {
  const auto data = sql::twice([&] { return source_->text(query); });
  return data && decode(*data, samples_);
}

/// Where the log begins and ends. The last batch's number is in several places; the largest counts.
void Salvage::find_ends() {
  if (known_) {
    first_ = number(known_->first);
    last_ = number(known_->last);
    samples_retired_ = known_->samples_retired;
    samples_total_ = known_->samples_total;
    first_event_ = known_->first_event;
    last_event_ = known_->last_event;
    last_committed_ = known_->last_committed;
    return;
  }
  bool left = true;
  last_ = ask("SELECT coalesce(max(seq), 0) FROM batch", 0, &last_is_certain_);
  if (last_ > 0 && !is_whole("SELECT data FROM batch ORDER BY seq DESC LIMIT 1")) last_is_certain_ = false;
  samples_total_ = ask("SELECT samples_before + samples FROM batch ORDER BY seq DESC LIMIT 1", 0);
  last_committed_ = Timestamp{Micros{ask("SELECT committed FROM batch ORDER BY seq DESC LIMIT 1", 0)}};
  if (!last_is_certain_) {
    last_ = std::max({ask("SELECT value FROM meta WHERE key = 'latest_seq'", 0), ask("SELECT max(seq) FROM event", 0),
                      ask("SELECT max(seq) FROM cursor", 0), number(history::last_of(history_, of_history_))});
    samples_total_ = ask("SELECT value FROM meta WHERE key = 'latest_samples'", 0);
  }
  first_ = ask("SELECT coalesce(min(seq), 1) FROM batch", 1, &left);
  samples_retired_ = ask("SELECT samples_before FROM batch ORDER BY seq LIMIT 1", 0, &left);
  if (source_ && last_ > 0 && !is_whole("SELECT data FROM batch ORDER BY seq LIMIT 1")) left = false;
  if (!source_) {
    lost_.exact = false;
  } else if (!left) {
    bool answered = true;
    first_ = ask("SELECT value FROM meta WHERE key = 'retired_seq'", 0, &answered) + 1;
    samples_retired_ = ask("SELECT value FROM meta WHERE key = 'retired_samples'", 0, &answered);
    lost_.exact = answered;
  }
  first_event_ = end_of_events("", 1);
  last_event_ = end_of_events("DESC", 0);
  lost_.exact = lost_.exact && last_is_certain_;
}

Status Salvage::into(Writer& fresh, const Error& why, const Moment& now, Salvaged& result) {
  find_ends();
  for (Status (Salvage::*part)(Writer&) :
       {&Salvage::put_epoch, &Salvage::put_states, &Salvage::put_events, &Salvage::put_batches, &Salvage::put_names}) {
    if (Status status = (this->*part)(fresh); !status) return status;
    step_();
  }
  result.lost = lost_;
  result.report.seq = Seq{last_ + 1};
  result.report.committed = std::max(now.time, last_committed_);
  result.report.events = {{now.time, Notice{"storage", in_words(why, result.aside.filename().string(), now.time)}}};
  fresh.continue_after(Seq{last_}, samples_total_);
  if (Status status = fresh.find_unsettled(); !status) return status;
  return fresh.append(result.report, {}, Writer::unset(now));
}

/// The number of the last batch is what makes (epoch, seq) unique; where it is not certain the new file's own epoch
/// stays. History has its rounds under theirs.
Status Salvage::put_epoch(Writer& fresh) {
  const auto whole = [](const std::string& epoch) {
    return epoch.size() == 16 && epoch.find_first_not_of("0123456789abcdef") == std::string::npos;
  };
  std::string epoch = known_ ? known_->epoch : std::string();
  if (!known_ && source_ && last_is_certain_) {
    const auto read = [this] { return source_->text("SELECT value FROM meta WHERE key = 'epoch'"); };
    epoch = sql::twice(read).value_or(std::string());
  }
  return fresh.transaction([&]() -> Status {
    auto put = fresh.connection().prepare("INSERT OR REPLACE INTO meta VALUES(?,?)");
    if (!put) return fail(std::move(put.error()));
    Status status;
    if (whole(of_history_)) status = put->bind("history_epoch", of_history_).run();
    if (status && whole(epoch)) status = put->bind("epoch", epoch).run();
    return status;
  });
}

/// A name that cannot be read has a stand-in, so that every other keeps its id, and every stored sample has a name.
std::vector<Catalogue::Entry> Salvage::read_names() {
  std::vector<Catalogue::Entry> entries;
  const auto entry = [&entries](std::int64_t id) -> Catalogue::Entry& {
    for (auto next = static_cast<std::uint32_t>(entries.size()); next <= id; ++next) {
      entries.push_back({SeriesId{next}, fmt::format("lost/{}", next), {}, {}});
    }
    return entries[static_cast<std::size_t>(id)];
  };
  constexpr std::int64_t kMostIds = 10'000'000;
  const std::int64_t last = std::clamp<std::int64_t>(ask("SELECT max(id) FROM series", 0), most_id_, kMostIds);
  std::uint64_t read = 0;
  if (most_id_ >= 0) entry(most_id_);
  const auto take = [&](sql::Statement& row) -> Result<bool> {
    auto labels = labels_from_json(row.text(6));
    const std::int64_t kind = row.integer(2);
    if (row.integer(7) == 0 || !valid_series_name(row.text(1)) || !labels || kind < 0 ||
        kind > static_cast<std::int64_t>(SeriesKind::state)) {
      return true;
    }
    Catalogue::Entry& known = entry(row.integer(0));
    known.name = row.text(1);
    known.info = {static_cast<SeriesKind>(kind), std::string(row.text(3)), std::string(row.text(4)),
                  Micros{row.integer(5)}, std::move(*labels)};
    ++read;
    return true;
  };
  KeyedRows rows(
      *source_,
      fmt::format("SELECT id, name, kind, unit, source, expected_interval, labels, {} FROM series", sound(kSeriesCrc)),
      "id");
  static_cast<void>(rows.read(0, last, take));
  lost_.names += entries.size() - read;
  const std::string select = fmt::format("SELECT series, code, text, {} FROM label", sound(kLabelCrc));
  each_row(*source_, select, "series, code", [&](sql::Statement& row) {
    constexpr std::int64_t kMostLabels = 100'000;
    const std::int64_t id = row.integer(0);
    const std::int64_t code = row.integer(1);
    if (id < 0 || id >= kMostIds || code < 0 || code >= kMostLabels) return;
    auto& labels = entry(id).labels;
    if (row.integer(3) == 0) {  // its numbers may be what is damaged: believed where they are the next ones
      if (code == static_cast<std::int64_t>(labels.size())) labels.emplace_back();
      return;
    }
    while (static_cast<std::int64_t>(labels.size()) <= code) labels.emplace_back();
    labels[static_cast<std::size_t>(code)] = row.text(2);
  });
  for (Catalogue::Entry& known : entries) {
    for (std::size_t code = 0; code < known.labels.size(); ++code) {
      if (!known.labels[code].empty()) continue;
      known.labels[code] = fmt::format("lost {}", code);
      ++lost_.names;
    }
  }
  return entries;
}

Status Salvage::put_names(Writer& fresh) {
  Catalogue::Unsaved names;
  if (known_) {
    names.series = known_->series;
  } else if (source_) {
    names.series = read_names();
  }
  for (const Catalogue::Entry& entry : names.series) {
    for (std::uint32_t code = 0; code < entry.labels.size(); ++code) {
      names.labels.emplace_back(entry.id, code);
      names.label_texts.push_back(entry.labels[code]);
    }
  }
  return fresh.transaction([&] { return fresh.put_names(names); });
}

/// Alert states, cursors, dead letters, the newest samples.
Status Salvage::put_states(Writer& fresh) {
  if (!source_) return {};
  return fresh.transaction([&]() -> Status {
    Status status;
    const auto copy = [&](const char* select, const char* key, const char* insert,
                          const std::function<bool(sql::Statement&)>& good) {
      auto put = fresh.connection().prepare(insert);
      if (!put && status) status = fail(put.error());
      if (!status) return;
      each_row(*source_, select, key, [&](sql::Statement& row) {
        if (!good(row)) {
          ++lost_.states;
        } else if (status) {
          status = put->bind_row(row).run();
        }
      });
    };
    const auto any = [](sql::Statement&) { return true; };
    copy("SELECT id, json, crc FROM alert", "id", "INSERT OR IGNORE INTO alert VALUES(?,?,?)",
         [](sql::Statement& row) { return fits(row.text(1), row.integer(2)) && alert_from_json(row.text(1)); });
    copy("SELECT id, time, times, source, topic, payload, reason FROM dead_letter", "id",
         "INSERT OR IGNORE INTO dead_letter VALUES(?,?,?,?,?,?,?)", any);
    copy("SELECT key, value FROM meta WHERE key NOT IN ('schema', 'epoch', 'history_epoch', 'event_bytes')", "key",
         "INSERT OR IGNORE INTO meta VALUES(?,?)", any);
    if (!known_) copy("SELECT name, seq FROM cursor", "name", "INSERT OR IGNORE INTO cursor VALUES(?,?)", any);
    if (!status || !known_) return status;
    auto put = fresh.connection().prepare("INSERT OR REPLACE INTO cursor VALUES(?,?)");
    if (!put) return fail(std::move(put.error()));
    for (const auto& [name, at] : known_->cursors) {
      if (Status done = put->bind(name, number(at)).run(); !done) return done;
    }
    return {};
  });
}

Status Salvage::put_events(Writer& fresh) {
  if (!source_) {
    lost_.events += static_cast<std::uint64_t>(last_event_ - first_event_ + 1);
    return {};
  }
  auto put = fresh.connection().prepare("INSERT INTO event VALUES(?,?,?,?,?,?)");
  if (!put) return fail(std::move(put.error()));
  KeyedRows rows(*source_, "SELECT id, seq, ordinal, alert, json, crc FROM event", "id");
  std::int64_t bytes = 0;
  for (std::int64_t at = first_event_; at <= last_event_;) {
    const std::int64_t until = std::min(last_event_, at + kRowsAStep - 1);
    Status status = fresh.transaction([&]() -> Status {
      const auto read = rows.read(at, until, [&](sql::Statement& row) -> Result<bool> {
        if (!fits(row.text(4), row.integer(5))) return true;
        ++read_events_;
        bytes += static_cast<std::int64_t>(row.text(4).size());
        put->bind(static_cast<std::int64_t>(read_events_), row.integer(1), row.integer(2), row.integer(3), row.text(4),
                  row.integer(5));
        if (Status done = put->run(); !done) return fail(std::move(done.error()));
        return true;
      });
      if (!read) return fail(read.error());
      return {};
    });
    if (!status) return status;
    at = until + 1;
    step_();
  }
  lost_.events += static_cast<std::uint64_t>(last_event_ - first_event_ + 1) - read_events_;
  auto sum = fresh.connection().prepare("UPDATE meta SET value = ? WHERE key = 'event_bytes'");
  if (!sum) return fail(std::move(sum.error()));
  fresh.continue_events(static_cast<std::int64_t>(read_events_), static_cast<std::uint64_t>(bytes));
  return fresh.transaction([&] { return sum->bind(bytes).run(); });
}

Status Salvage::put_batches(Writer& fresh) {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(0, last_ - first_ + 1));
  samples_before_ = samples_retired_;
  if (source_) {
    KeyedRows rows(
        *source_,
        fmt::format("SELECT seq, committed, samples, samples_before, events, alerts, alerts_crc, data, {}, {} "
                    "FROM batch",
                    has_crc_ ? "unset" : "NULL", sound(kBatchCrc)),
        "seq");
    for (std::int64_t at = first_; at <= last_;) {
      bytes_ = 0;
      const std::int64_t until = std::min(last_, at + kRowsAStep - 1);
      Status status = fresh.transaction([&]() -> Status {
        const auto read = rows.read(at, until, [&](sql::Statement& row) { return take_batch(fresh, row); });
        if (!read) return fail(read.error());
        at = *read + 1;
        return {};
      });
      if (!status) return status;
      if (Status moved = fresh.checkpoint_if_due(); !moved) return moved;
      step_();
    }
  }
  lost_.batches += count - read_batches_;
  lost_.samples += static_cast<std::uint64_t>(std::max<std::int64_t>(0, samples_total_ - samples_before_));
  return {};
}

/// `samples_before` tells how many samples lie between this batch and the last one that was read. False: enough for one
/// transaction.
Result<bool> Salvage::take_batch(Writer& fresh, sql::Statement& row) {
  Batch batch;
  batch.seq = Seq{row.integer(0)};
  batch.committed = Timestamp{Micros{row.integer(1)}};
  if (row.integer(9) == 0) return true;
  if (!decode(row.text(7), samples_) || static_cast<std::int64_t>(samples_.size()) != row.integer(2)) return true;
  const std::int64_t before = row.integer(3);
  if (before < samples_before_) return true;
  if (!row.null(5)) {
    if (!fits(row.text(5), row.integer(6))) return true;
    auto alerts = alerts_from_json(row.text(5));
    if (!alerts) return true;
    batch.alerts = std::move(*alerts);
  }
  std::swap(batch.samples, samples_);
  const Writer::Unset unset = row.null(8) ? Writer::Unset() : Micros{row.integer(8)};
  Status status = fresh.put_batch(batch, row.integer(4), before, unset);
  std::swap(batch.samples, samples_);
  if (!status) return fail(std::move(status.error()));
  ++read_batches_;
  for (const Sample& sample : samples_) most_id_ = std::max(most_id_, static_cast<std::int64_t>(sample.series));
  lost_.samples += static_cast<std::uint64_t>(before - samples_before_);
  samples_before_ = before + static_cast<std::int64_t>(samples_.size());
  bytes_ += row.text(7).size();
  return bytes_ < kBytesAStep;
}

std::string Salvage::in_words(const Error& why, const std::string& aside, Timestamp now) const {
  std::string text =
      fmt::format("journal.db was damaged ({}); it is kept as {} and a new one took its place at {}: ", why.text, aside,
                  rfc3339(now));
  if (!source_ && !known_) return text + "nothing in it could be read; what it held, and how much, is not known";
  text += fmt::format("{} batches and {} events were saved", read_batches_, read_events_);
  if (lost_.batches + lost_.events + lost_.names + lost_.states == 0 && lost_.exact) return text + ", nothing is lost";
  text += fmt::format("; lost are {}{} batches with {} samples, {} events", lost_.exact ? "" : "at least ",
                      lost_.batches, lost_.samples, lost_.events);
  if (lost_.names > 0) text += fmt::format(", {} names of series or states (now 'lost/...')", lost_.names);
  if (lost_.states > 0) text += fmt::format(", {} alert states or positions", lost_.states);
  return text;
}

}  // namespace

void each_row(sql::Connection& from, const std::string& select, const char* key,
              const std::function<void(sql::Statement&)>& take) {
  for (const char* direction : {"", " DESC"}) {
    const std::string query = fmt::format("{} ORDER BY {}{}", select, key, direction);
    auto rows = sql::twice([&] { return from.prepare(query); });
    if (!rows) return;
    Result<bool> row = rows->step();
    for (; row && *row; row = rows->step()) take(*rows);
    if (row) return;
  }
}

Result<Salvaged> salvage(const fs::path& file, const Error& why, const std::optional<Known>& known, const Moment& now,
                         const std::function<void()>& step) {
  Salvaged result;
  result.aside = aside_name(file, now.time);
  auto fresh = Writer::open(successor_of(file));
  if (!fresh) return fail(std::move(fresh.error()));
  Salvage work(file, known, step);
  Status status = work.into(*fresh, why, now, result);
  bool whole = false;
  fresh->close([&whole] { whole = true; });
  // Its WAL does not come along to its place.
  if (status && !whole) status = fail(Errc::io, "{} cannot be completed", successor_of(file).string());
  if (status) return result;
  forget_successor(file);
  return fail(std::move(status.error()));
}

}  // namespace tidegate::journal
