#include "gateway/journal/history/retention.h"

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/files.h"
#include "gateway/journal/history/rewrite.h"
#include "gateway/journal/quarantine.h"

namespace tidegate::journal::history {
namespace {

constexpr std::size_t kKeptWhenThinned = 10;  ///< every n-th sample

std::optional<Timestamp> oldest_sample(const std::filesystem::path& directory) {
  const auto days = day_files(directory);
  if (days.empty()) return std::nullopt;
  auto file = open_to_read(days.front().path);
  if (!file) return std::nullopt;
  const auto time = file->number("SELECT min(first_time) FROM round WHERE samples > 0");
  if (!time || *time == 0) return std::nullopt;
  return Timestamp{Micros{*time}};
}

/// The oldest day that has not been thinned and is rolled up, so that its minutes tell of every sample.
std::optional<DayFileName> to_thin(std::span<const DayFileName> days, Day today) {
  for (const DayFileName& file : days) {
    if (file.day >= today) break;
    auto connection = open_to_read(file.path);
    if (!connection) continue;
    const auto thinned = connection->number("SELECT count(*) FROM thinned");
    const auto sealed = connection->number("SELECT count(*) FROM sealed");
    if (thinned && sealed && *thinned == 0 && *sealed > 0) return file;
  }
  return std::nullopt;
}

Status thin(const DayFileName& file, std::stop_token stop) {
  const std::filesystem::path thinner = successor_of(file.path);
  if (const auto done = thin_day(file.path, thinner, kKeptWhenThinned, std::move(stop)); !done)
    return fail(done.error());
  return replace_database(file.path, thinner);
}

void retire_years(const std::filesystem::path& directory, std::chrono::year oldest, Kept& kept) {
  for (const YearFileName& file : year_files(directory)) {
    if (file.year < oldest) {
      remove_database(file.path);
      ++kept.removed;
    } else {
      kept.bytes += file.bytes;
    }
  }
}

}  // namespace

Result<Kept> retire(const std::filesystem::path& directory, Timestamp now, const Limits& limits, std::stop_token stop) {
  Kept kept;
  retire_years(directory, year_of(day_of(now - limits.rollup_retention)), kept);
  const auto days = day_files(directory);
  for (const DayFileName& file : days) kept.bytes += file.bytes;
  for (const DayFileName& file : days) {
    const bool outlived = file.day < day_of(now - limits.retention);
    const bool over = kept.bytes > limits.max_bytes && limits.when_full != WhenFull::reject;
    if (!outlived && (!over || file.day >= day_of(now))) break;
    if (!outlived && limits.when_full == WhenFull::thin) {
      if (const auto whole = to_thin(days, day_of(now))) {
        if (Status status = thin(*whole, std::move(stop)); !status) return fail(std::move(status.error()));
        ++kept.thinned;
        break;  // how much that gave is seen at the next call
      }
    }
    remove_database(file.path);
    ++kept.removed;
    kept.bytes -= file.bytes;
  }
  kept.oldest = oldest_sample(directory);
  return kept;
}

}  // namespace tidegate::journal::history
