#include "gateway/journal/history/repair.h"

#include "gateway/journal/history/files.h"
#include "gateway/journal/history/rewrite.h"
#include "gateway/journal/history/year_file.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {
namespace {

namespace fs = std::filesystem;

/// The file under its other name too, so that there is no moment without one under its own; a file system without
/// links has that moment.
Status set_aside(const fs::path& file, const fs::path& aside) {
  std::error_code error;
  fs::create_hard_link(file, aside, error);
  if (error) fs::rename(file, aside, error);
  if (error) return fail(Errc::io, "{} is damaged and cannot be set aside: {}", file.string(), error.message());
  return {};
}

}  // namespace

Result<std::string> repair(const fs::path& file, const std::string& why, Timestamp now, std::stop_token stop) {
  const fs::path aside = aside_name(file, now);
  const fs::path successor = successor_of(file);
  const auto day = day_of_file(file);
  const auto left = day ? salvage_day(file, successor, std::move(stop)) : fail(Errc::corrupt, "made again of the days");
  if (!left && left.error().code != Errc::corrupt) return fail(left.error());
  if (Status status = set_aside(file, aside); !status) return fail(std::move(status.error()));
  forget_old_quarantines(file.parent_path(), "");
  const std::string begin =
      fmt::format("{} was damaged ({}) and is kept as {}: ", file.filename().string(), why, aside.filename().string());
  if (!left) {
    remove_database(file);
    return begin + (day ? "nothing of it could be read" : "it is made again of the days whose samples are still there");
  }
  if (Status status = replace_database(file, successor); !status) return fail(std::move(status.error()));
  // Rolled up again, of what is left. A year's file that is damaged too is made again anyway.
  if (Status status = withdraw(file.parent_path(), *day); !status && status.error().code != Errc::corrupt) {
    return fail(std::move(status.error()));
  }
  return fmt::format("{}{} samples in {} chunks are lost, {} samples were saved", begin, left->lost_samples,
                     left->lost_chunks, left->samples);
}

std::vector<std::pair<fs::path, std::string>> find_damaged(const fs::path& directory) {
  std::vector<std::pair<fs::path, std::string>> damaged;
  for (const fs::path& file : all_files(directory)) {
    auto connection = sql::Connection::open(file, sql::Connection::Access::write);
    if (!connection) continue;
    Status status = connection->check_pages();
    if (status || status.error().code != Errc::corrupt) continue;  // what cannot be read now is no damage
    damaged.emplace_back(file, std::move(status.error().text));
  }
  return damaged;
}

}  // namespace tidegate::journal::history
