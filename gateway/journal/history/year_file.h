#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "gateway/journal/history/files.h"
#include "gateway/journal/history/names.h"
#include "gateway/journal/history/rollup.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {

/// One series' day, rolled up: the hours that have samples, and all of it.
struct RolledDay {
  std::vector<Rollup> hours;
  Bucket total;
};

/// The writing side of a year's rollups. A day is put whole, in one transaction, and then complete. One thread.
class YearFile {
 public:
  static Result<YearFile> open(const std::filesystem::path& file);

  /// Before samples are added to that day: until it is put again its rollups are not the whole truth.
  Status withdraw(Day day);
  using Put = std::function<Status(const Catalogue::Entry& series, std::span<const Rollup> hours)>;
  Status put(Day day, const std::function<Status(const Put&)>& series);

 private:
  explicit YearFile(sql::Connection connection) : connection_(std::move(connection)) {}
  sql::Connection connection_;
};

/// Withdraws a day from its year's file, where that is there.
Status withdraw(const std::filesystem::path& directory, Day day);
/// The days of every year in the directory that are complete.
Result<std::set<Day>> complete_days(const std::filesystem::path& directory);
/// The days of [from, to) that are complete.
Result<std::set<Day>> complete_days(sql::Connection& connection, Day from, Day to);
/// A day's rollups of one series: no hours where it had no samples.
Result<RolledDay> read_day(sql::Connection& connection, std::int64_t series, Day day);

}  // namespace tidegate::journal::history
