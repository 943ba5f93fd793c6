#include "gateway/journal/history/seal.h"

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/history/year_file.h"

namespace tidegate::journal::history {
namespace {

constexpr Micros kQuiet = std::chrono::hours(1);

Result<bool> is_complete(const std::filesystem::path& directory, Day day) {
  const auto path = year_path(directory, year_of(day));
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return false;
  auto year = open_to_read(path);
  if (!year) return fail(std::move(year.error()));
  const auto days = complete_days(*year, day, day + std::chrono::days(1));
  if (!days) return fail(days.error());
  return !days->empty();
}

/// Adds a series' minutes, or its samples where it has too few for these.
Status add_hours(sql::Connection& part, std::int64_t series, Day day, RollupBuilder& hours) {
  const auto minutes = read_minutes(part, series);
  if (!minutes) return fail(minutes.error());
  if (minutes->rollups) {
    hours.add(*minutes->rollups);
    return {};
  }
  Unreadable unreadable;
  return read_chunks(
      part, series, {"", Seq{}}, 0, Timestamp(day), Timestamp(day + std::chrono::days(1)),
      [&](std::span<const Sample> samples) { hours.add(samples); }, unreadable);
}

/// Each series once, from every part that has it.
Status put_hours(std::vector<sql::Connection>& parts, Day day, const YearFile::Put& put, const std::stop_token& stop) {
  for (std::size_t own = 0; own < parts.size(); ++own) {
    const auto series = all_series(parts[own]);
    if (!series) return fail(series.error());
    for (const auto& [number, entry] : *series) {
      if (stop.stop_requested()) return fail(Errc::stopped, "asked to stop");
      RollupBuilder hours(day, kHour);
      bool done_before = false;
      for (std::size_t other = 0; other < parts.size() && !done_before; ++other) {
        const auto there = find_series(parts[other], entry.name);
        if (!there) return fail(there.error());
        if (!*there) continue;
        done_before = other < own;
        if (done_before) break;
        if (Status status = add_hours(parts[other], **there, day, hours); !status) return status;
      }
      if (done_before) continue;
      if (Status status = put(entry, hours.take()); !status) return status;
    }
  }
  return {};
}

}  // namespace

Result<bool> ready_to_seal(std::span<const DayFileName> parts, Timestamp now) {
  const Day day = parts.front().day;
  if (now < day + std::chrono::days(1) + kQuiet) return false;
  bool complete = true;
  for (const DayFileName& part : parts) {
    auto file = DayFile::open(part.path, day);
    if (!file) return fail(std::move(file.error()));
    const auto last = file->last_round();
    if (!last) return fail(last.error());
    if (*last && now - (*last)->committed < kQuiet) return false;
    const auto sealed = file->sealed();
    if (!sealed) return fail(sealed.error());
    complete = complete && *sealed;
  }
  if (!complete) return true;
  const auto in_year = is_complete(parts.front().path.parent_path(), day);
  if (!in_year) return fail(in_year.error());
  return !*in_year;
}

Status seal_day(const std::filesystem::path& directory, std::span<const DayFileName> parts, std::stop_token stop) {
  const Day day = parts.front().day;
  std::vector<sql::Connection> readers;
  for (const DayFileName& part : parts) {
    auto file = DayFile::open(part.path, day);
    if (!file) return fail(std::move(file.error()));
    if (Status status = file->seal(); !status) return status;
    auto reader = open_to_read(part.path);
    if (!reader) return fail(std::move(reader.error()));
    readers.push_back(std::move(*reader));
  }
  auto year = YearFile::open(year_path(directory, year_of(day)));
  if (!year) return fail(std::move(year.error()));
  return year->put(day, [&](const YearFile::Put& put) { return put_hours(readers, day, put, stop); });
}

}  // namespace tidegate::journal::history
