#include "gateway/journal/history/retention.h"

#include "gateway/journal/history/files.h"

namespace tidegate::journal::history {

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
  return kept;
}

}  // namespace tidegate::journal::history
