#include "gateway/journal/restore.h"

#include "gateway/journal/codec.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/reader.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal {
namespace {

Result<std::vector<Catalogue::Entry>> read_infos(sql::Connection& connection) {
  auto rows = connection.prepare(
      fmt::format("SELECT id, name, kind, unit, source, expected_interval, labels, {} FROM series ORDER BY id",
                  sound_by(connection, kSeriesCrc)));
  if (!rows) return fail(std::move(rows.error()));
  std::vector<Catalogue::Entry> entries;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return entries;
    auto labels = labels_from_json(rows->text(6));
    if (!labels) return fail(std::move(labels.error()));
    const std::int64_t kind = rows->integer(2);
    if (rows->integer(0) != static_cast<std::int64_t>(entries.size()) || kind < 0 ||
        kind > static_cast<std::int64_t>(SeriesKind::state) || rows->integer(7) == 0) {
      return fail(Errc::corrupt, "the series table is damaged at row {}", entries.size());
    }
    entries.push_back({SeriesId{static_cast<std::uint32_t>(entries.size())},
                       std::string(rows->text(1)),
                       {static_cast<SeriesKind>(kind), std::string(rows->text(3)), std::string(rows->text(4)),
                        Micros{rows->integer(5)}, std::move(*labels)},
                       {}});
  }
}

Status read_labels(sql::Connection& connection, std::vector<Catalogue::Entry>& entries) {
  auto rows = connection.prepare(
      fmt::format("SELECT series, code, text, {} FROM label ORDER BY series, code", sound_by(connection, kLabelCrc)));
  if (!rows) return fail(std::move(rows.error()));
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    const auto series = static_cast<std::uint64_t>(rows->integer(0));
    if (series >= entries.size() || rows->integer(3) == 0 ||
        rows->integer(1) != static_cast<std::int64_t>(entries[static_cast<std::size_t>(series)].labels.size())) {
      return fail(Errc::corrupt, "the label table is damaged at series {}", series);
    }
    entries[static_cast<std::size_t>(series)].labels.emplace_back(rows->text(2));
  }
}

/// Where one stood that is behind the last batch nobody knows: it begins anew, rather than past what it has not seen.
Result<Cursors::Positions> read_cursors(sql::Connection& connection, Seq first, Seq last) {
  auto rows = connection.prepare("SELECT name, seq FROM cursor");
  if (!rows) return fail(std::move(rows.error()));
  Cursors::Positions cursors;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return cursors;
    const Seq at{rows->integer(1)};
    cursors.emplace_back(rows->text(0), at > last ? prev(first) : at);
  }
}

/// A damaged save costs time, not samples: the whole log is read instead.
Result<Seq> read_saved_latest(sql::Connection& connection, std::vector<Sample>& latest) {
  const auto bytes = connection.text("SELECT value FROM meta WHERE key = 'latest'");
  if (!bytes) return fail(bytes.error());
  const auto seq = connection.number("SELECT value FROM meta WHERE key = 'latest_seq'");
  if (!seq) return fail(seq.error());
  if (!decode(*bytes, latest)) return Seq{0};
  // What was committed while nobody had set the clock may have been given other times since.
  const auto unset = connection.number("SELECT value FROM meta WHERE key = 'unset_first'");
  if (!unset) return fail(unset.error());
  return Seq{*unset > 0 ? std::min(*seq, *unset - 1) : *seq};
}

/// Brings `latest` up to `last`; of series below `known` only.
Status replay(sql::Connection& connection, Seq saved, Seq last, std::size_t known, std::vector<Sample>& latest) {
  auto rows = connection.prepare("SELECT data FROM batch WHERE seq > ? AND seq <= ? ORDER BY seq");
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(number(saved), number(last));
  std::vector<Sample> newest(known);
  const auto note = [&newest](const Sample& sample) {
    if (index(sample.series) >= newest.size()) return;
    if (sample.time >= newest[index(sample.series)].time) newest[index(sample.series)] = sample;
  };
  for (const Sample& sample : latest) note(sample);
  std::vector<Sample> samples;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    if (!decode(rows->text(0), samples)) continue;  // its reader receives a gap
    for (const Sample& sample : samples) note(sample);
  }
  std::erase_if(newest, [](const Sample& sample) { return sample.time == Timestamp{}; });
  latest = std::move(newest);
  return {};
}

/// Do the readers' statements fit the tables? Now a damaged schema can be set aside; later they would only fail.
Status try_readers(sql::Connection& connection, Seq last) {
  if (auto batches = read_log(connection, prev(last), last, {}); !batches) return fail(std::move(batches.error()));
  if (auto events = read_events(connection, {.limit = 1}); !events) return fail(std::move(events.error()));
  if (auto letters = read_dead_letters(connection, 1); !letters) return fail(std::move(letters.error()));
  return {};
}

}  // namespace

Result<std::vector<Catalogue::Entry>> read_series(sql::Connection& connection) {
  auto entries = read_infos(connection);
  if (!entries) return entries;
  if (Status status = read_labels(connection, *entries); !status) return fail(std::move(status.error()));
  return entries;
}

Result<Restored> restore(sql::Connection& connection, Seq first, Seq last) {
  Restored restored;
  auto series = read_series(connection);
  if (!series) return fail(std::move(series.error()));
  restored.series = std::move(*series);
  if (auto alerts = read_alerts(connection); !alerts) return fail(std::move(alerts.error()));
  if (Status status = try_readers(connection, last); !status) return fail(std::move(status.error()));
  auto cursors = read_cursors(connection, first, last);
  if (!cursors) return fail(std::move(cursors.error()));
  restored.cursors = std::move(*cursors);
  const auto saved = read_saved_latest(connection, restored.latest);
  if (!saved) return fail(saved.error());
  restored.latest_saved = *saved;
  Status status = replay(connection, *saved, last, restored.series.size(), restored.latest);
  if (!status) return fail(std::move(status.error()));
  return restored;
}

std::string encode_latest(std::vector<Sample> latest) {
  std::erase_if(latest, [](const Sample& sample) { return sample.time == Timestamp{}; });
  return encode(latest);
}

}  // namespace tidegate::journal
