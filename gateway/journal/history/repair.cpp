#include "gateway/journal/history/repair.h"

#include <algorithm>

#include "gateway/core/time_text.h"
#include "gateway/journal/history/files.h"
#include "gateway/journal/history/rewrite.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeptAside = 2;
constexpr std::string_view kAside = ".corrupt-";

fs::path name_aside(const fs::path& file, Timestamp now) {
  std::string time = rfc3339(std::chrono::floor<std::chrono::seconds>(now));
  std::erase_if(time, [](char c) { return c == ':' || c == '-'; });
  fs::path aside = fmt::format("{}{}{}", file.string(), kAside, time);
  for (int i = 2; fs::exists(aside); ++i) aside = fmt::format("{}{}{}.{}", file.string(), kAside, time, i);
  return aside;
}

void forget_old_ones(const fs::path& directory) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().filename().string().find(kAside) == std::string::npos) continue;
    found.emplace_back(entry.last_write_time(ignored), entry.path());
  }
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i + kKeptAside < found.size(); ++i) fs::remove(found[i].second, ignored);
}

/// The file under its other name too, so that there is no moment without one under its own; a file system without
/// links has that moment.
Status set_aside(const fs::path& file, const fs::path& aside) {
  std::error_code error;
  fs::create_hard_link(file, aside, error);
  if (error) fs::rename(file, aside, error);
  if (error) return fail(Errc::io, "{} is damaged and cannot be set aside: {}", file.string(), error.message());
  return {};
}

Status put_in_place(const fs::path& successor, const fs::path& file) {
  std::error_code error;
  fs::rename(successor, file, error);
  remove_database(successor);
  fs::remove(file.string() + "-journal", error);
  if (error) return fail(Errc::io, "{} cannot be put in place: {}", successor.string(), error.message());
  return {};
}

bool is_year(const fs::path& file) { return file.string().ends_with(".rollup.db"); }

}  // namespace

Result<std::string> repair(const fs::path& file, const std::string& why, Timestamp now, std::stop_token stop) {
  const fs::path aside = name_aside(file, now);
  const fs::path successor = file.string() + ".new";
  const auto left =
      is_year(file) ? fail(Errc::corrupt, "made again of the days") : salvage_day(file, successor, std::move(stop));
  if (!left && left.error().code != Errc::corrupt) return fail(left.error());
  if (Status status = set_aside(file, aside); !status) return fail(std::move(status.error()));
  forget_old_ones(file.parent_path());
  const std::string begin =
      fmt::format("{} was damaged ({}) and is kept as {}: ", file.filename().string(), why, aside.filename().string());
  if (!left) {
    remove_database(file);
    return begin + (is_year(file) ? "it is made again of the days whose samples are still there"
                                  : "nothing of it could be read");
  }
  if (Status status = put_in_place(successor, file); !status) return fail(std::move(status.error()));
  return fmt::format("{}{} samples in {} chunks are lost, {} samples were saved", begin, left->lost_samples,
                     left->lost_chunks, left->samples);
}

std::vector<std::pair<fs::path, std::string>> find_damaged(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const DayFileName& file : day_files(directory)) files.push_back(file.path);
  for (const YearFileName& file : year_files(directory)) files.push_back(file.path);
  std::vector<std::pair<fs::path, std::string>> damaged;
  for (const fs::path& file : files) {
    auto connection = sql::Connection::open(file, sql::Connection::Access::write);
    if (!connection) continue;
    const auto verdict = connection->text("PRAGMA quick_check(1)");
    if (verdict && *verdict == "ok") continue;
    if (!verdict && verdict.error().code != Errc::corrupt) continue;  // it cannot be read now, which is no damage
    damaged.emplace_back(file, verdict ? *verdict : verdict.error().text);
  }
  return damaged;
}

}  // namespace tidegate::journal::history
