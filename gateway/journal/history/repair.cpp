#include "gateway/journal/history/repair.h"

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/files.h"
#include "gateway/journal/history/names.h"
#include "gateway/journal/history/rewrite.h"
#include "gateway/journal/history/year_file.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {
namespace {

namespace fs = std::filesystem;

Status failure(const fs::path& file, const std::error_code& error) {
  return fail(Errc::io, "{} is damaged and cannot be set aside: {}", file.string(), error.message());
}

Status set_aside(const fs::path& file, const fs::path& aside) {
  std::error_code error;
  fs::rename(file, aside, error);
  if (error) return failure(file, error);
  remove_database(file);  // what SQLite keeps beside it
  return {};
}

/// The file is under its other name too before its successor comes, so that there is no moment without one under its
/// own; a file system without links has that moment.
Status replace(const fs::path& file, const fs::path& successor, const fs::path& aside) {
  std::error_code error;
  fs::create_hard_link(file, aside, error);
  if (error) fs::rename(file, aside, error);
  if (error) return failure(file, error);
  Status status = replace_database(file, successor);
  if (status) return {};
  fs::rename(aside, file, error);  // which does nothing where both are one file
  fs::remove(aside, error);
  return status;
}

}  // namespace

Result<std::string> repair(const fs::path& file, const std::string& why, Timestamp now, std::stop_token stop) {
  if (Status status = take_back_cut_off_commit(file); !status) return fail(std::move(status.error()));
  const fs::path aside = aside_name(file, now);
  const fs::path successor = successor_of(file);
  const auto day = day_of_file(file);
  const auto left = day ? salvage_day(file, successor, std::move(stop)) : fail(Errc::corrupt, "made again of the days");
  if (!left && left.error().code != Errc::corrupt) return fail(left.error());
  // Rolled up again, of what is left: first, so that a failure leaves all of it to be done again. A year's file that is
  // damaged too is made again anyway.
  Status status = left ? withdraw(file.parent_path(), *day) : Status{};
  if (!status && status.error().code != Errc::corrupt) return fail(std::move(status.error()));
  status = left ? replace(file, successor, aside) : set_aside(file, aside);
  if (!status) return fail(std::move(status.error()));
  forget_old_quarantines(file.parent_path(), "");
  const std::string begin =
      fmt::format("{} was damaged ({}) and is kept as {}: ", file.filename().string(), why, aside.filename().string());
  if (!left) {
    return begin + (day ? "nothing of it could be read" : "it is made again of the days whose samples are still there");
  }
  const std::string names =
      left->lost_names > 0 ? fmt::format(" (of {} names not all could be read)", left->lost_names) : "";
  return fmt::format("{}{}{} samples are lost, {} samples were saved{}", begin, left->exact ? "" : "at least ",
                     left->lost_samples, left->samples, names);
}

Status look_at(const fs::path& file) {
  std::error_code gone;
  const auto bytes = fs::file_size(file, gone);
  if (gone) return {};  // retention took it
  if (bytes == 0) return fail(Errc::corrupt, "it is empty");
  auto connection = sql::Connection::open(file, sql::Connection::Access::write);
  if (!connection) return fail(std::move(connection.error()));
  Status status = connection->check_pages();
  const auto page = connection->number("PRAGMA page_size");
  if (status && page && bytes % static_cast<std::uintmax_t>(*page) != 0) return fail(Errc::corrupt, "it is cut off");
  if (!status || !day_of_file(file)) return status;
  const auto names = all_series(*connection);
  if (!names) return fail(names.error());
  if (!names->damages.empty()) return fail(Errc::corrupt, "{}", names->damages.front());
  const auto rounds = connection->number(
      "SELECT count(*) FROM round WHERE samples <> (SELECT coalesce(sum(samples), 0) FROM chunk WHERE key BETWEEN "
      "round.id << 32 AND round.id << 32 | 0xFFFFFFFF)");
  if (!rounds) return fail(rounds.error());
  return *rounds == 0 ? Status{} : fail(Errc::corrupt, "chunks of {} rounds are missing", *rounds);
}

std::vector<std::pair<fs::path, std::string>> find_damaged(const fs::path& directory) {
  std::vector<std::pair<fs::path, std::string>> damaged;
  for (const fs::path& file : all_files(directory)) {
    Status status = look_at(file);
    // What cannot be read now is no damage.
    if (!status && status.error().code == Errc::corrupt) damaged.emplace_back(file, std::move(status.error().text));
  }
  return damaged;
}

}  // namespace tidegate::journal::history
