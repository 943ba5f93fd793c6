#include "gateway/journal/inventory.h"

#include <algorithm>

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/names.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

Timestamp time_of(std::int64_t ticks) { return Timestamp{Micros{ticks}}; }

std::uint64_t size_of(const fs::path& file) {
  std::error_code missing;
  const auto bytes = fs::file_size(file, missing);
  return missing ? 0 : bytes;
}

void widen(Inventory::Tier& tier, Timestamp first, Timestamp last) {
  tier.oldest = std::min(tier.oldest.value_or(first), first);
  tier.newest = std::max(tier.newest.value_or(last), last);
}

/// Numbers by their queries; each of one row.
template <class Numbers>
Status read_numbers(sql::Connection& connection, const Numbers& numbers) {
  for (const auto& [query, number] : numbers) {
    const auto found = connection.number(query);
    if (!found) return fail(found.error());
    *number = static_cast<std::uint64_t>(*found);
  }
  return {};
}

Status read_cursors(sql::Connection& log, std::vector<Inventory::Cursor>& cursors) {
  auto rows = log.prepare(
      "SELECT name, cursor.seq, count(batch.seq), coalesce(sum(samples), 0) FROM cursor LEFT JOIN batch ON batch.seq > "
      "cursor.seq GROUP BY name ORDER BY name");
  if (!rows) return fail(std::move(rows.error()));
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    cursors.push_back({std::string(rows->text(0)), Seq{rows->integer(1)}, static_cast<std::uint64_t>(rows->integer(2)),
                       static_cast<std::uint64_t>(rows->integer(3))});
  }
}

Status count_log(StoreView& view, Inventory& inventory) {
  sql::Connection& log = view.log();
  auto snapshot = sql::Transaction::snapshot(log);
  if (!snapshot) return fail(std::move(snapshot.error()));
  Inventory::Tier& tier = inventory.log;
  std::uint64_t page = 0, free_pages = 0, first = 0, last = 0;
  const std::pair<const char*, std::uint64_t*> numbers[] = {
      {"SELECT count(*) FROM batch", &tier.parts},
      {"SELECT coalesce(sum(samples), 0) FROM batch", &tier.samples},
      {"SELECT coalesce(sum(length(data)), 0) FROM batch", &tier.data_bytes},
      {"SELECT min(seq) FROM batch", &first},
      {"SELECT max(seq) FROM batch", &last},
      {"SELECT count(*) FROM event", &inventory.events},
      {"SELECT count(*) FROM dead_letter", &inventory.dead_letters},
      {"SELECT count(*) FROM snapshot", &inventory.snapshots},
      {"SELECT coalesce(sum(length(data)), 0) FROM snapshot", &inventory.snapshot_bytes},
      {"PRAGMA page_size", &page},
      {"PRAGMA freelist_count", &free_pages},
  };
  if (Status status = read_numbers(log, numbers); !status) return status;
  auto times = log.prepare("SELECT min(first_time), max(last_time) FROM batch WHERE samples > 0");
  if (!times) return fail(std::move(times.error()));
  const Result<bool> row = times->step();
  if (!row) return fail(row.error());
  if (*row && !times->null(0)) widen(tier, time_of(times->integer(0)), time_of(times->integer(1)));
  if (Status status = read_cursors(log, inventory.cursors); !status) return status;
  inventory.first = Seq{static_cast<std::int64_t>(first)};
  inventory.last = Seq{static_cast<std::int64_t>(last)};
  inventory.compacted = view.visible().through;
  inventory.free_bytes = page * free_pages;
  const fs::path file = view.directory() / "journal.db";
  for (const char* end : {"", "-wal"}) tier.file_bytes += size_of(file.string() + end);
  tier.files = size_of(file) > 0 ? 1 : 0;
  return {};
}

/// What the rows of one day's file say: no chunk is decoded.
Status count_day(StoreView& view, const fs::path& file, Inventory& inventory) {
  auto day = history::open_as_guest(file);
  if (!day) return fail(std::move(day.error()));
  auto snapshot = sql::Transaction::snapshot(*day);
  if (!snapshot) return fail(std::move(snapshot.error()));
  auto rounds =
      day->prepare("SELECT first_time, last_time FROM round WHERE samples > 0 AND (epoch <> ? OR last_seq <= ?)");
  if (!rounds) return fail(std::move(rounds.error()));
  const history::Visible visible = view.visible();
  rounds->bind(visible.epoch, number(visible.through));
  while (true) {
    const Result<bool> row = rounds->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    ++inventory.rounds;
    widen(inventory.history, time_of(rounds->integer(0)), time_of(rounds->integer(1)));
  }
  auto chunks = day->prepare(
      "SELECT name, count(*), sum(samples), sum(length(data)) FROM chunk JOIN series ON series.id = (key & 4294967295) "
      "WHERE key >> 32 IN (SELECT id FROM round WHERE epoch <> ? OR last_seq <= ?) GROUP BY name");
  if (!chunks) return fail(std::move(chunks.error()));
  chunks->bind(visible.epoch, number(visible.through));
  while (true) {
    const Result<bool> row = chunks->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    const auto samples = static_cast<std::uint64_t>(chunks->integer(2));
    const auto bytes = static_cast<std::uint64_t>(chunks->integer(3));
    inventory.history.parts += static_cast<std::uint64_t>(chunks->integer(1));
    inventory.history.samples += samples;
    inventory.history.data_bytes += bytes;
    if (const auto place = view.find(chunks->text(0))) {
      inventory.series[*place].samples += samples;
      inventory.series[*place].data_bytes += bytes;
    }
  }
  std::uint64_t minutes = 0;
  const std::pair<const char*, std::uint64_t*> numbers[] = {
      {"SELECT coalesce(sum(length(data)), 0) FROM minutes", &minutes}};
  Status status = read_numbers(*day, numbers);
  inventory.minutes_bytes += minutes;
  return status;
}

Status count_year(const fs::path& file, Inventory::Tier& tier) {
  auto year = history::open_as_guest(file);
  if (!year) return fail(std::move(year.error()));
  std::uint64_t parts = 0, bytes = 0;
  const std::pair<const char*, std::uint64_t*> numbers[] = {
      {"SELECT count(*) FROM rolled", &parts},
      {"SELECT coalesce(sum(length(total) + length(hours)), 0) FROM rolled", &bytes}};
  if (Status status = read_numbers(*year, numbers); !status) return status;
  tier.parts += parts;
  tier.data_bytes += bytes;
  const auto first = year->number("SELECT coalesce(min(day), 0) FROM complete");
  if (!first) return fail(first.error());
  const auto last = year->number("SELECT coalesce(max(day), 0) FROM complete");
  if (!last) return fail(last.error());
  if (*last > 0) widen(tier, history::Day{std::chrono::days(*first)}, history::Day{std::chrono::days(*last + 1)});
  return {};
}

/// What is gone is not counted; what is damaged is noted.
Status passed_over(StoreView& view, const fs::path& file, const Error& error) {
  if (error.code == Errc::corrupt) view.note().damaged_files.insert(file.string());
  return error.code == Errc::corrupt || error.code == Errc::not_found ? Status{} : fail(error);
}

}  // namespace

Result<Inventory> take_inventory(StoreView& view, std::stop_token stop) {
  Inventory inventory;
  for (std::size_t place = 0; place < view.series().size(); ++place) inventory.series.push_back({place});
  if (Status status = count_log(view, inventory); !status) return fail(std::move(status.error()));
  for (const history::DayFileName& file : view.chunks().files()) {
    if (stop.stop_requested()) return fail(Errc::stopped, "stopped");
    Status status = count_day(view, file.path, inventory);
    if (!status) status = passed_over(view, file.path, status.error());
    if (!status) return fail(std::move(status.error()));
    ++inventory.history.files;
    inventory.history.file_bytes += file.bytes;
  }
  for (const history::YearFileName& file : history::year_files(view.history_directory())) {
    Status status = count_year(file.path, inventory.rollups);
    if (!status) status = passed_over(view, file.path, status.error());
    if (!status) return fail(std::move(status.error()));
    ++inventory.rollups.files;
    inventory.rollups.file_bytes += file.bytes;
  }
  for (Inventory::Series& one : inventory.series) {
    const auto rest = view.rest(one.place);
    if (!rest) return fail(rest.error());
    one.samples += rest->size();
    inventory.rest_samples += rest->size();
  }
  return inventory;
}

}  // namespace tidegate::journal
