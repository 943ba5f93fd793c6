#include "gateway/journal/history/names.h"

#include "gateway/journal/event_json.h"

namespace tidegate::journal::history {
namespace {

Result<std::optional<std::int64_t>> find_unchanged(sql::Connection& connection, const Catalogue::Entry& entry,
                                                   const std::string& labels) {
  auto rows = connection.prepare(
      "SELECT id FROM series WHERE name = ? AND kind = ? AND unit = ? AND source = ? AND labels = ? AND (SELECT "
      "count(*) FROM label WHERE label.series = series.id) = ?");
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(entry.name, static_cast<std::int64_t>(entry.info.kind), entry.info.unit, entry.info.source, labels,
             static_cast<std::int64_t>(entry.labels.size()));
  const Result<bool> row = rows->step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<std::int64_t>{};
  return std::optional(rows->integer(0));
}

}  // namespace

Result<std::int64_t> put_series(sql::Connection& connection, const Catalogue::Entry& entry) {
  const std::string labels = to_json(entry.info.labels);
  const auto unchanged = find_unchanged(connection, entry, labels);
  if (!unchanged) return fail(unchanged.error());
  if (*unchanged) return **unchanged;
  auto put = connection.prepare(
      "INSERT INTO series(name, kind, unit, source, labels) VALUES(?,?,?,?,?) ON CONFLICT(name) DO UPDATE SET "
      "kind=excluded.kind, unit=excluded.unit, source=excluded.source, labels=excluded.labels RETURNING id");
  if (!put) return fail(std::move(put.error()));
  put->bind(entry.name, static_cast<std::int64_t>(entry.info.kind), entry.info.unit, entry.info.source, labels);
  const Result<bool> row = put->step();
  if (!row) return fail(row.error());
  const std::int64_t number = put->integer(0);
  put->reset();
  auto label = connection.prepare("INSERT OR REPLACE INTO label VALUES(?,?,?)");
  if (!label) return fail(std::move(label.error()));
  for (std::size_t code = 0; code < entry.labels.size(); ++code) {
    Status status = label->bind(number, static_cast<std::int64_t>(code), entry.labels[code]).run();
    if (!status) return fail(std::move(status.error()));
  }
  return number;
}

Result<std::vector<std::pair<std::int64_t, Catalogue::Entry>>> all_series(sql::Connection& connection) {
  auto rows = connection.prepare("SELECT id, name, kind, unit, source, labels FROM series ORDER BY id");
  if (!rows) return fail(std::move(rows.error()));
  auto labels = connection.prepare("SELECT text FROM label WHERE series = ? ORDER BY code");
  if (!labels) return fail(std::move(labels.error()));
  std::vector<std::pair<std::int64_t, Catalogue::Entry>> all;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return all;
    const std::int64_t kind = rows->integer(2);
    auto own = labels_from_json(rows->text(5));
    if (!own) return fail(std::move(own.error()));
    if (kind < 0 || kind > static_cast<std::int64_t>(SeriesKind::state)) {
      return fail(Errc::corrupt, "the series '{}' is of no known kind", rows->text(1));
    }
    Catalogue::Entry entry{{},
                           std::string(rows->text(1)),
                           {static_cast<SeriesKind>(kind), std::string(rows->text(3)), std::string(rows->text(4)),
                            Micros{0}, std::move(*own)},
                           {}};
    labels->bind(rows->integer(0));
    for (Result<bool> label = labels->step(); label && *label; label = labels->step()) {
      entry.labels.emplace_back(labels->text(0));
    }
    all.emplace_back(rows->integer(0), std::move(entry));
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
