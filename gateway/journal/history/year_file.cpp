#include "gateway/journal/history/year_file.h"

#include "gateway/journal/history/database.h"

namespace tidegate::journal::history {
namespace {

constexpr const char* kTables =
    "CREATE TABLE complete(day INTEGER PRIMARY KEY);"
    "CREATE TABLE rolled(key INTEGER PRIMARY KEY, total BLOB NOT NULL, hours BLOB NOT NULL);";

std::int64_t number(Day day) { return day.time_since_epoch().count(); }
/// In order of day, so that a new day is appended.
std::int64_t key_of(Day day, std::int64_t series) { return number(day) << 32 | series; }

Status put_day(sql::Statement& row, Day day, std::int64_t series, std::span<const Rollup> hours) {
  RollupBuilder whole(day, kDay);
  whole.add(hours);
  const std::string total = encode_rollups(whole.take(), kDay);
  const std::string data = encode_rollups(hours, kHour);
  return row.bind(key_of(day, series), sql::Blob{total}, sql::Blob{data}).run();
}

}  // namespace

Result<YearFile> YearFile::open(const std::filesystem::path& file) {
  auto connection = open_to_write(file, kTables);
  if (!connection) return fail(std::move(connection.error()));
  return YearFile(std::move(*connection));
}

Status YearFile::withdraw(Day day) {
  auto statement = connection_.prepare("DELETE FROM complete WHERE day = ?");
  if (!statement) return fail(std::move(statement.error()));
  return statement->bind(number(day)).run();
}

Status YearFile::put(Day day, const std::function<Status(const Put&)>& series) {
  auto transaction = sql::Transaction::begin(connection_);
  if (!transaction) return fail(std::move(transaction.error()));
  auto row = connection_.prepare("INSERT OR REPLACE INTO rolled VALUES(?,?,?)");
  if (!row) return fail(std::move(row.error()));
  Status status = series([&](const Catalogue::Entry& entry, std::span<const Rollup> hours) -> Status {
    const auto id = put_series(connection_, entry);
    if (!id) return fail(id.error());
    return put_day(*row, day, *id, hours);
  });
  if (!status) return status;
  auto complete = connection_.prepare("INSERT OR REPLACE INTO complete VALUES(?)");
  if (!complete) return fail(std::move(complete.error()));
  if (status = complete->bind(number(day)).run(); !status) return status;
  return transaction->commit();
}

Status withdraw(const std::filesystem::path& directory, Day day) {
  const auto path = year_path(directory, year_of(day));
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  auto year = YearFile::open(path);
  if (!year) return fail(std::move(year.error()));
  return year->withdraw(day);
}

Result<std::set<Day>> complete_days(const std::filesystem::path& directory) {
  std::set<Day> all;
  for (const YearFileName& name : year_files(directory)) {
    auto year = open_to_read(name.path);
    if (!year && year.error().code == Errc::not_found) continue;
    if (!year) return fail(std::move(year.error()));
    auto days = complete_days(*year, name.year / 1 / 1, (name.year + std::chrono::years(1)) / 1 / 1);
    if (!days) return fail(std::move(days.error()));
    all.merge(*days);
  }
  return all;
}

Result<std::set<Day>> complete_days(sql::Connection& connection, Day from, Day to) {
  auto rows = connection.prepare("SELECT day FROM complete WHERE day >= ? AND day < ?");
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(number(from), number(to));
  std::set<Day> days;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return days;
    days.insert(Day{std::chrono::days(rows->integer(0))});
  }
}

Result<RolledDay> read_day(sql::Connection& connection, std::int64_t series, Day day) {
  auto rows = connection.prepare("SELECT total, hours FROM rolled WHERE key = ?");
  if (!rows) return fail(std::move(rows.error()));
  const Result<bool> row = rows->bind(key_of(day, series)).step();
  if (!row) return fail(row.error());
  if (!*row) return RolledDay{};
  auto total = decode_rollups(rows->text(0), kDay);
  if (!total) return fail(std::move(total.error()));
  auto hours = decode_rollups(rows->text(1), kHour);
  if (!hours) return fail(std::move(hours.error()));
  return RolledDay{std::move(*hours), total->empty() ? Bucket{} : total->front().bucket};
}

}  // namespace tidegate::journal::history
