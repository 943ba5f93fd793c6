#include "gateway/journal/salvage.h"

#include <algorithm>

#include "gateway/core/time_text.h"
#include "gateway/journal/bytes.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/keyed_rows.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/salvage_names.h"
#include "gateway/journal/schema.h"
#include "gateway/journal/seen.h"
#include "gateway/journal/writer.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBytesAStep = 4u << 20;
constexpr int kRowsAStep = 4'096;

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
  void find_ends();
  Status put_epoch(Writer& fresh);
  Status put_names(Writer& fresh);
  Status put_states(Writer& fresh);
  Status put_events(Writer& fresh);
  Status put_batches(Writer& fresh);
  void count_missing(std::int64_t before, std::int64_t samples);
  Status take_batch(Writer& fresh, sql::Statement& row);
  template <class Take>
  Status in_steps(Writer& fresh, const std::string& select, const char* key, std::int64_t from, std::int64_t to,
                  const Take& take);
  std::string in_words(const Error& why, const std::string& aside, Timestamp now) const;

  const std::optional<Known>& known_;
  const std::function<void()>& step_;
  const fs::path history_;
  std::optional<sql::Connection> source_;
  std::string of_history_;  ///< under which history knows the log; empty: who knows
  bool has_crc_ = false;
  Losses lost_;
  std::uint64_t read_batches_ = 0, read_events_ = 0;
  LogEnds ends_;
  // While the batches are read.
  std::int64_t samples_before_ = 0, next_ = 0;
  Seen gone_;
  std::uint64_t bytes_ = 0;
  std::vector<Sample> samples_;
  std::int64_t most_id_ = -1;  ///< the largest series id that a batch refers to
};

/// Of a file that cannot even be opened nothing is known.
void Salvage::find_ends() {
  if (known_) {
    ends_ = ends_of(*known_);
  } else if (source_) {
    const std::string sealed = has_crc_ ? fmt::format("coalesce(crc = {}, -1)", kBatchCrc) : "-1";
    ends_ = journal::find_ends(*source_, sealed.c_str(), history_, of_history_);
  } else {
    ends_.last = number(history::last_of(history_, of_history_));
    ends_.last_is_certain = ends_.exact = false;
  }
  lost_.exact = ends_.exact;
}

Status Salvage::into(Writer& fresh, const Error& why, const Moment& now, Salvaged& result) {
  find_ends();
  for (Status (Salvage::*part)(Writer&) :
       {&Salvage::put_epoch, &Salvage::put_states, &Salvage::put_events, &Salvage::put_batches, &Salvage::put_names}) {
    if (Status status = (this->*part)(fresh); !status) return status;
    step_();
  }
  result.lost = lost_;
  result.gone = gone_.text();
  result.report.seq = Seq{ends_.last + 1};
  result.report.committed = std::max(now.time, ends_.last_committed);
  result.report.events = {{now.time, Notice{"storage", in_words(why, result.aside.filename().string(), now.time)}}};
  fresh.continue_after(Seq{ends_.last}, std::max(ends_.samples_total, samples_before_));
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
  if (!known_ && source_ && ends_.last_is_certain) {
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

Status Salvage::put_names(Writer& fresh) {
  Catalogue::Unsaved names;
  if (known_) {
    names.series = known_->series;
  } else if (source_) {
    names.series = read_names(*source_, has_crc_, most_id_, lost_.names);
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
    copy("SELECT seq, data FROM snapshot", "seq", "INSERT OR IGNORE INTO snapshot VALUES(?,?)",
         [](sql::Statement& row) { return decode(row.text(1)).has_value(); });
    copy(
        "SELECT key, value FROM meta WHERE key NOT IN ('schema', 'epoch', 'history_epoch', 'event_bytes', "
        "'events_retired', 'lost')",
        "key", "INSERT OR IGNORE INTO meta VALUES(?,?)", any);
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

/// Row by row, so many in a transaction: what the numbers leave out costs nothing.
template <class Take>
Status Salvage::in_steps(Writer& fresh, const std::string& select, const char* key, std::int64_t from, std::int64_t to,
                         const Take& take) {
  KeyedRows rows(*source_, select, key);
  while (from <= to) {
    bytes_ = 0;
    int left = kRowsAStep;
    Status status = fresh.transaction([&]() -> Status {
      const auto read = rows.read(from, to, [&](sql::Statement& row) -> Result<bool> {
        if (Status taken = take(row); !taken) return fail(std::move(taken.error()));
        return --left > 0 && bytes_ < kBytesAStep;
      });
      if (!read) return fail(read.error());
      from = *read + 1;
      return {};
    });
    if (!status) return status;
    if (Status moved = fresh.checkpoint_if_due(); !moved) return moved;
    step_();
  }
  return {};
}

Status Salvage::put_events(Writer& fresh) {
  auto put = fresh.connection().prepare(kPutEvent);
  if (!put) return fail(std::move(put.error()));
  std::int64_t bytes = 0;
  const auto take = [&](sql::Statement& row) -> Status {
    if (!is_sound_event(row, 4)) return {};
    ++read_events_;
    bytes_ += row.text(4).size();
    bytes += static_cast<std::int64_t>(row.text(4).size());
    put->bind(static_cast<std::int64_t>(read_events_), row.integer(1), row.integer(2), row.integer(3), row.text(4));
    return put->run();
  };
  Status status = !source_
                      ? Status()
                      : in_steps(fresh, fmt::format("SELECT id, seq, ordinal, alert, {} FROM event", kEventColumns),
                                 "id", ends_.first_event, ends_.last_event, take);
  if (!status) return status;
  const auto held = static_cast<std::uint64_t>(std::max<std::int64_t>(0, ends_.last_event - ends_.first_event + 1));
  lost_.events += held - std::min(held, read_events_);
  if (!source_) return {};
  auto sum = fresh.connection().prepare("UPDATE meta SET value = ? WHERE key = 'event_bytes'");
  if (!sum) return fail(std::move(sum.error()));
  fresh.continue_events(static_cast<std::int64_t>(read_events_), static_cast<std::uint64_t>(bytes));
  return fresh.transaction([&] { return sum->bind(bytes).run(); });
}

Status Salvage::put_batches(Writer& fresh) {
  samples_before_ = ends_.samples_retired;
  next_ = ends_.first;
  const auto told = [this] { return source_ ? source_->text("SELECT value FROM meta WHERE key = 'lost'") : ""; };
  gone_.add(sql::twice(told).value_or(std::string()));
  const std::string select =
      fmt::format("SELECT seq, committed, samples, samples_before, events, alerts, alerts_crc, data, {}, {} FROM batch",
                  has_crc_ ? "unset" : "NULL", has_crc_ ? sound_by(kBatchCrc) : "1");
  const auto take = [&](sql::Statement& row) { return take_batch(fresh, row); };
  Status status = source_ ? in_steps(fresh, select, "seq", ends_.first, ends_.last, take) : Status();
  if (!status) return status;
  count_missing(ends_.last + 1, std::max<std::int64_t>(0, ends_.samples_total - samples_before_));
  Writer::Upkeep upkeep;
  upkeep.lost = gone_.text();
  return fresh.save(upkeep);
}

/// From the next batch on, up to the one `before`, with so many samples. What an earlier salvage has told of is not
/// told again.
void Salvage::count_missing(std::int64_t before, std::int64_t samples) {
  if (next_ >= before) return;
  const std::uint64_t fresh = gone_.add(Seq{next_}, Seq{before - 1});
  lost_.batches += fresh;
  if (fresh == static_cast<std::uint64_t>(before - next_)) {
    lost_.samples += static_cast<std::uint64_t>(samples);
  } else if (fresh > 0 && samples > 0) {
    lost_.exact = false;  // nobody knows how many of them were in these
  }
}

/// `samples_before` tells how many samples lie between this batch and the last one that was read.
Status Salvage::take_batch(Writer& fresh, sql::Statement& row) {
  Batch batch;
  batch.seq = Seq{row.integer(0)};
  batch.committed = Timestamp{Micros{row.integer(1)}};
  if (row.integer(9) == 0) return {};
  if (!decode(row.text(7), samples_) || static_cast<std::int64_t>(samples_.size()) != row.integer(2)) return {};
  const std::int64_t before = row.integer(3);
  if (before < samples_before_) return {};
  if (!row.null(5)) {
    if (!fits(row.text(5), row.integer(6))) return {};
    auto alerts = alerts_from_json(row.text(5));
    if (!alerts) return {};
    batch.alerts = std::move(*alerts);
  }
  std::swap(batch.samples, samples_);
  const Writer::Unset unset = row.null(8) ? Writer::Unset() : Micros{row.integer(8)};
  Status status = fresh.put_batch(batch, row.integer(4), before, unset);
  std::swap(batch.samples, samples_);
  if (!status) return status;
  ++read_batches_;
  count_missing(row.integer(0), before - samples_before_);
  next_ = row.integer(0) + 1;
  for (const Sample& sample : samples_) most_id_ = std::max(most_id_, static_cast<std::int64_t>(sample.series));
  samples_before_ = before + static_cast<std::int64_t>(samples_.size());
  bytes_ += row.text(7).size();
  return {};
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
  if (lost_.states > 0) text += fmt::format(", {} alert states, snapshots or positions", lost_.states);
  return text;
}

}  // namespace

Result<Salvaged> salvage(const fs::path& file, const Error& why, const std::optional<Known>& known, const Moment& now,
                         const std::function<void()>& step) {
  forget_successor(file);
  if (Status made = sql::make_private(successor_of(file)); !made) return fail(std::move(made.error()));
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

Result<Salvaged> salvage_in_place(const fs::path& file, const Error& why, const Moment& now,
                                  const std::function<void()>& step) {
  auto salvaged = salvage(file, why, std::nullopt, now, step);
  if (!salvaged) return salvaged;
  if (Status swapped = swap_in_successor(file, salvaged->aside); !swapped) return fail(std::move(swapped.error()));
  forget_suspicion(file);
  return salvaged;
}

}  // namespace tidegate::journal
