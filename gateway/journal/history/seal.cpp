#include "gateway/journal/history/seal.h"

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/history/year_file.h"

namespace tidegate::journal::history {
namespace {

constexpr Micros kQuiet = std::chrono::hours(1);

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
    if (!series->damages.empty()) return fail(Errc::corrupt, "{}", series->damages.front());
    for (const auto& [number, entry] : series->sound) {
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
  for (const DayFileName& part : parts) {
    auto file = DayFile::open(part.path, day);
    if (!file) return fail(std::move(file.error()));
    const auto last = file->last_round();
    if (!last) return fail(last.error());
    if (*last && now - (*last)->committed < kQuiet) return false;
  }
  return true;
}

Status seal_day(const std::filesystem::path& directory, std::span<const DayFileName> parts, std::stop_token stop) {
  const Day day = parts.front().day;
  std::vector<sql::Connection> readers;
  for (const DayFileName& part : parts) {
    auto file = DayFile::open(part.path, day);
    if (!file) return fail(std::move(file.error()));
    const auto sealed = file->sealed();
    if (!sealed) return fail(sealed.error());
    if (!*sealed) {
      if (Status status = file->seal(); !status) return status;
    }
    auto reader = open_to_read(part.path);
    if (!reader) return fail(std::move(reader.error()));
    readers.push_back(std::move(*reader));
  }
  auto year = YearFile::open(year_path(directory, year_of(day)));
  if (!year) return fail(std::move(year.error()));
  return year->put(day, [&](const YearFile::Put& put) { return put_hours(readers, day, put, stop); });
}

}  // namespace tidegate::journal::history
