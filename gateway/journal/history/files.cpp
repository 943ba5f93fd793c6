#include "gateway/journal/history/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace tidegate::journal::history {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kYearEnd = ".rollup.db";

/// A decimal number of exactly `digits` digits (any number of them where 0) off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || value < 0 || (digits != 0 && length != digits)) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

std::optional<std::pair<Day, int>> parse_day(std::string_view name) {
  const auto year = take_number(name, 4);
  if (!year || !take(name, "-")) return std::nullopt;
  const auto month = take_number(name, 2);
  if (!month || !take(name, "-")) return std::nullopt;
  const auto day = take_number(name, 2);
  if (!day || !take(name, ".")) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  if (name == "db") return std::pair{Day(date), 1};
  const auto part = take_number(name, 0);
  if (!part || *part < 2 || name != ".db") return std::nullopt;
  return std::pair{Day(date), *part};
}

std::optional<std::chrono::year> parse_year(std::string_view name) {
  const auto year = take_number(name, 4);
  if (!year || name != kYearEnd) return std::nullopt;
  return std::chrono::year(*year);
}

template <class Found>
void for_each_file(const fs::path& directory, const Found& found) {
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const auto bytes = entry->file_size(gone);
    if (!gone) found(*entry, static_cast<std::uint64_t>(bytes));
  }
}

}  // namespace

std::vector<DayFileName> day_files(const fs::path& directory) {
  std::vector<DayFileName> files;
  for_each_file(directory, [&](const fs::directory_entry& entry, std::uint64_t bytes) {
    if (const auto named = parse_day(entry.path().filename().string())) {
      files.push_back({entry.path(), named->first, named->second, bytes});
    }
  });
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return std::tie(a.day, a.part) < std::tie(b.day, b.part); });
  return files;
}

std::optional<Day> day_of_file(const fs::path& file) {
  const auto named = parse_day(file.filename().string());
  return named ? std::optional(named->first) : std::nullopt;
}

fs::path day_path(const fs::path& directory, Day day, int part) {
  const std::chrono::year_month_day date(day);
  const std::string name = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return directory / (part == 1 ? name + ".db" : fmt::format("{}.{}.db", name, part));
}

std::vector<YearFileName> year_files(const fs::path& directory) {
  std::vector<YearFileName> files;
  for_each_file(directory, [&](const fs::directory_entry& entry, std::uint64_t bytes) {
    if (const auto year = parse_year(entry.path().filename().string())) files.push_back({entry.path(), *year, bytes});
  });
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.year < b.year; });
  return files;
}

fs::path year_path(const fs::path& directory, std::chrono::year year) {
  return directory / fmt::format("{:04}{}", static_cast<int>(year), kYearEnd);
}

std::vector<fs::path> all_files(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const DayFileName& file : day_files(directory)) files.push_back(file.path);
  for (const YearFileName& file : year_files(directory)) files.push_back(file.path);
  return files;
}

std::vector<fs::path> written_last(const fs::path& directory) {
  const auto written = [](const fs::path& file) {
    std::error_code gone;
    const auto time = fs::last_write_time(file, gone);
    return gone ? fs::file_time_type::min() : time;
  };
  std::vector<fs::path> files = all_files(directory);
  fs::file_time_type newest = fs::file_time_type::min();
  for (const fs::path& file : files) newest = std::max(newest, written(file));
  std::erase_if(files, [&](const fs::path& file) { return written(file) < newest - std::chrono::hours(24); });
  return files;
}

bool has_hot_journal(const fs::path& file) {
  std::error_code missing;
  const auto bytes = fs::file_size(file.string() + "-journal", missing);
  return !missing && bytes > 0;
}

void remove_database(const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
  fs::remove(file.string() + "-journal", ignored);
}

Status replace_database(const fs::path& file, const fs::path& successor) {
  std::error_code error;
  fs::rename(successor, file, error);
  const bool replaced = !error;
  const std::string why = error.message();
  remove_database(successor);
  if (!replaced) return fail(Errc::io, "{} cannot be replaced: {}", file.string(), why);
  fs::remove(file.string() + "-journal", error);  // the old file's
  return {};
}

}  // namespace tidegate::journal::history
