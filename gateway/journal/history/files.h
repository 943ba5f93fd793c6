#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

/// The history: every sample once more, by series, in files of a day each; made from the log in the background.
/// Layout and names: docs/journal-format.md.
namespace tidegate::journal::history {

using Day = std::chrono::sys_days;

constexpr Day day_of(Timestamp time) { return std::chrono::floor<std::chrono::days>(time); }

/// DIRECTORY/2026-11-25.db, and .2.db, .3.db after it where a day outgrows one file.
struct DayFileName {
  std::filesystem::path path;
  Day day;
  int part = 1;
  std::uint64_t bytes = 0;
};
/// Those there are, oldest day and lowest part first. A missing directory has none.
std::vector<DayFileName> day_files(const std::filesystem::path& directory);
/// The day that a file is of, by its name.
std::optional<Day> day_of_file(const std::filesystem::path& file);
std::filesystem::path day_path(const std::filesystem::path& directory, Day day, int part);

/// DIRECTORY/2026.rollup.db: the hours and days of a calendar year.
struct YearFileName {
  std::filesystem::path path;
  std::chrono::year year;
  std::uint64_t bytes = 0;
};
std::vector<YearFileName> year_files(const std::filesystem::path& directory);
std::filesystem::path year_path(const std::filesystem::path& directory, std::chrono::year year);

/// The paths of both kinds.
std::vector<std::filesystem::path> all_files(const std::filesystem::path& directory);

constexpr std::chrono::year year_of(Day day) { return std::chrono::year_month_day(day).year(); }

/// Those of them that were written in the last day in which any was: what a power cut may have hurt.
std::vector<std::filesystem::path> written_last(const std::filesystem::path& directory);

/// Does a commit that was cut off have to be taken back before the file can be read?
bool has_hot_journal(const std::filesystem::path& file);

/// Removes a database with what SQLite keeps beside it.
void remove_database(const std::filesystem::path& file);
/// Puts `successor`, which nobody has open, in the file's place.
Status replace_database(const std::filesystem::path& file, const std::filesystem::path& successor);

}  // namespace tidegate::journal::history
