#include "gateway/journal/history/names.h"

#include "gateway/core/text.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal::history {
namespace {

Result<sql::Statement> prepare_labels(sql::Connection& connection) {
  return connection.prepare(
      fmt::format("SELECT code, text, {} FROM label WHERE series = ? ORDER BY code", sound_by(connection, kLabelCrc)));
}

Status read_labels(sql::Statement& rows, std::int64_t series, Catalogue::Entry& entry) {
  rows.bind(series);
  while (true) {
    const Result<bool> row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    if (rows.integer(2) == 0 || rows.integer(0) != static_cast<std::int64_t>(entry.labels.size())) {
      return fail(Errc::corrupt, "a state of series '{}' is not as it was written", entry.name);
    }
    entry.labels.emplace_back(rows.text(1));
  }
}

/// What is not as it was written has changed, and is written anew.
Result<std::optional<std::int64_t>> find_unchanged(sql::Connection& connection, const Catalogue::Entry& entry,
                                                   const std::string& labels) {
  auto rows = connection.prepare(
      fmt::format("SELECT id FROM series WHERE name = ? AND kind = ? AND unit = ? AND source = ? AND labels = ? AND {}",
                  sound_by(kNameCrc)));
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(entry.name, static_cast<std::int64_t>(entry.info.kind), entry.info.unit, entry.info.source, labels);
  const Result<bool> row = rows->step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<std::int64_t>{};
  if (entry.labels.empty()) return std::optional(rows->integer(0));
  auto states = prepare_labels(connection);
  if (!states) return fail(std::move(states.error()));
  Catalogue::Entry stored;
  const Status status = read_labels(*states, rows->integer(0), stored);
  if (!status && status.error().code != Errc::corrupt) return fail(status.error());
  if (!status || stored.labels != entry.labels) return std::optional<std::int64_t>{};
  return std::optional(rows->integer(0));
}

}  // namespace

Result<Catalogue::Entry> entry_of(const sql::Statement& row) {
  const std::int64_t kind = row.integer(2);
  auto labels = labels_from_json(row.text(5));
  if (row.integer(6) == 0 || !labels || kind < 0 || kind > static_cast<std::int64_t>(SeriesKind::state)) {
    return fail(Errc::corrupt, "series '{}' is not as it was written", printable(row.text(1)));
  }
  return Catalogue::Entry{{},
                          std::string(row.text(1)),
                          {static_cast<SeriesKind>(kind), std::string(row.text(3)), std::string(row.text(4)), Micros{0},
                           std::move(*labels)},
                          {}};
}

Result<std::int64_t> put_series(sql::Connection& connection, const Catalogue::Entry& entry) {
  const std::string labels = to_json(entry.info.labels);
  const auto unchanged = find_unchanged(connection, entry, labels);
  if (!unchanged) return fail(unchanged.error());
  if (*unchanged) return **unchanged;
  auto put = connection.prepare(
      "INSERT INTO series SELECT next, ?1, ?2, ?3, ?4, ?5, crc32c(next, ?1, ?2, ?3, ?4, ?5) FROM "
      "(SELECT coalesce(max(id), 0) + 1 AS next FROM series) WHERE true ON CONFLICT(name) DO UPDATE SET "
      "kind=excluded.kind, unit=excluded.unit, source=excluded.source, labels=excluded.labels, "
      "crc=crc32c(id, excluded.name, excluded.kind, excluded.unit, excluded.source, excluded.labels) RETURNING id");
  if (!put) return fail(std::move(put.error()));
  put->bind(entry.name, static_cast<std::int64_t>(entry.info.kind), entry.info.unit, entry.info.source, labels);
  const Result<bool> row = put->step();
  if (!row) return fail(row.error());
  const std::int64_t number = put->integer(0);
  put->reset();
  auto label = connection.prepare(kPutLabel);
  if (!label) return fail(std::move(label.error()));
  if (Status status = put_labels(*label, number, entry.labels); !status) return fail(std::move(status.error()));
  return number;
}

Status put_labels(sql::Statement& put, std::int64_t series, std::span<const std::string> labels) {
  for (std::size_t code = 0; code < labels.size(); ++code) {
    Status status = put.bind(series, static_cast<std::int64_t>(code), labels[code]).run();
    if (!status) return status;
  }
  return {};
}

Result<AllSeries> all_series(sql::Connection& connection) {
  auto rows = connection.prepare(fmt::format("SELECT id, name, kind, unit, source, labels, {} FROM series ORDER BY id",
                                             sound_by(connection, kNameCrc)));
  if (!rows) return fail(std::move(rows.error()));
  auto labels = prepare_labels(connection);
  if (!labels) return fail(std::move(labels.error()));
  AllSeries all;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return all;
    auto entry = entry_of(*rows);
    Status status = entry ? read_labels(*labels, rows->integer(0), *entry) : fail(entry.error());
    if (status) {
      all.sound.emplace_back(rows->integer(0), std::move(*entry));
    } else if (status.error().code == Errc::corrupt) {
      all.damages.push_back(std::move(status.error().text));
    } else {
      return fail(std::move(status.error()));
    }
  }
}

Result<std::optional<std::int64_t>> find_series(sql::Connection& connection, std::string_view name) {
  auto rows = connection.prepare("SELECT id FROM series WHERE name = ?");
  if (!rows) return fail(std::move(rows.error()));
  const Result<bool> row = rows->bind(name).step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<std::int64_t>{};
  return std::optional(rows->integer(0));
}

}  // namespace tidegate::journal::history
