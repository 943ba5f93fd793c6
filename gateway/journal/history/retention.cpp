#include "gateway/journal/history/retention.h"

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/files.h"

namespace tidegate::journal::history {

namespace {

std::optional<Timestamp> oldest_sample(const std::filesystem::path& directory) {
  const auto days = day_files(directory);
  if (days.empty()) return std::nullopt;
  auto file = open_to_read(days.front().path);
  if (!file) return std::nullopt;
  const auto time = file->number("SELECT min(first_time) FROM round WHERE samples > 0");
  if (!time || *time == 0) return std::nullopt;
  return Timestamp{Micros{*time}};
}

}  // namespace

Kept retire(const std::filesystem::path& directory, Timestamp now, Micros retention, Micros rollups,
            std::uint64_t max_bytes) {
  Kept kept;
  for (const YearFileName& file : year_files(directory)) {
    if (file.year < year_of(day_of(now - rollups))) {
      remove_database(file.path);
      ++kept.removed;
    } else {
      kept.bytes += file.bytes;
    }
  }
  const auto days = day_files(directory);
  for (const DayFileName& file : days) kept.bytes += file.bytes;
  for (const DayFileName& file : days) {
    const bool outlived = file.day < day_of(now - retention);
    if (!outlived && (kept.bytes <= max_bytes || file.day >= day_of(now))) break;
    remove_database(file.path);
    ++kept.removed;
    kept.bytes -= file.bytes;
  }
  kept.oldest = oldest_sample(directory);
  return kept;
}

}  // namespace tidegate::journal::history
