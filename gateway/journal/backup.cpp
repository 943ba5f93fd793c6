#include "gateway/journal/backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "gateway/core/time_text.h"
#include "gateway/journal/bytes.h"
#include "gateway/journal/history/cut.h"
#include "gateway/journal/history/database.h"
#include "gateway/journal/history/log_side.h"
#include "gateway/journal/history/year_file.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/schema.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::uint64_t kPiece = 1u << 20;  ///< copied at a time
constexpr const char* kManifest = "backup.json";
constexpr const char* kState = "state.db";                           ///< gateway/state's, which may be missing
constexpr const char* kEdited[] = {"rules.yaml", "rules-off.yaml"};  ///< of gateway/app, likewise

Error stopped() { return {Errc::stopped, "stopped; nothing was left behind"}; }

std::string to_json(const Backup& backup) {
  json files = json::array();
  for (const Backup::File& file : backup.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"crc32c", file.crc}});
  }
  return json{{"tidegate_backup", kVersion},
              {"made", rfc3339(backup.made)},
              {"epoch", backup.epoch},
              {"last_batch", number(backup.last)},
              {"batches_in_history", number(backup.compacted)},
              {"committed", rfc3339(backup.committed)},
              {"files", files},
              {"damaged", backup.damaged}}
             .dump(1) +
         '\n';
}

/// No way out of the folder.
bool is_plain(const fs::path& name) {
  return name.is_relative() && !name.empty() && std::find(name.begin(), name.end(), "..") == name.end();
}

Backup from_json(const json& text) {
  Backup backup;
  backup.made = parse_rfc3339(text.at("made").get<std::string>()).value();
  backup.committed = parse_rfc3339(text.at("committed").get<std::string>()).value();
  backup.epoch = text.at("epoch");
  backup.last = Seq{text.at("last_batch").get<std::int64_t>()};
  backup.compacted = Seq{text.at("batches_in_history").get<std::int64_t>()};
  for (const json& file : text.at("files")) {
    backup.files.push_back({file.at("name"), file.at("bytes"), file.at("crc32c")});
    if (!is_plain(backup.files.back().name)) throw std::invalid_argument("a file's name leads elsewhere");
  }
  backup.damaged = text.at("damaged").get<std::vector<std::string>>();
  return backup;
}

Status write_synced(const fs::path& file, std::string_view text) {
  const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = opened >= 0 && ::write(opened, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(opened) == 0;
  const int why = errno;
  if (opened >= 0) ::close(opened);
  return written ? Status{} : fail(Errc::io, "{} cannot be written: {}", file.string(), std::strerror(why));
}

class Making {
 public:
  Making(const fs::path& store, const fs::path& folder, const CopyReport& report)
      : store_(store), folder_(folder), report_(report) {}

  Result<Backup> run(Timestamp now) {
    backup_.made = now;
    Status (Making::*const parts[])() = {&Making::begin,       &Making::copy_log,     &Making::copy_state,
                                         &Making::copy_edited, &Making::copy_history, &Making::cut_history,
                                         &Making::list};
    for (const auto part : parts) {
      if (report_.stop.stop_requested()) return fail(stopped());
      if (Status status = (this->*part)(); !status) return fail(std::move(status.error()));
    }
    if (Status status = write_synced(folder_ / kManifest, to_json(backup_)); !status) return fail(status.error());
    for (const fs::path& directory : {history(), folder_}) sync_directory(directory);
    return backup_;
  }

 private:
  fs::path history() const { return folder_ / "history"; }

  Status begin() {
    total_ = fs::file_size(store_ / "journal.db");
    for (const fs::path& file : history::all_files(store_ / "history")) {
      std::error_code gone;
      const auto bytes = fs::file_size(file, gone);
      total_ += gone ? 0 : bytes;
    }
    std::error_code error;
    fs::create_directories(history(), error);
    if (error) return fail(Errc::io, "{} cannot be made: {}", folder_.string(), error.message());
    for (const fs::path& directory : {history(), folder_}) fs::permissions(directory, fs::perms::owner_all, error);
    return look_for_room(folder_, total_);
  }

  Status copy(sql::Connection& from, const std::string& name) {
    const auto page = from.number("PRAGMA page_size");
    if (!page) return fail(page.error());
    const auto page_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(*page, 512));
    if (Status made = sql::make_private(folder_ / name); !made) return made;
    auto to = sql::Connection::open(folder_ / name, sql::Connection::Access::write);
    if (!to) return fail(std::move(to.error()));
    std::uint64_t bytes = 0;
    Status status = from.copy_into(*to, static_cast<int>(kPiece / page_bytes), [&](auto done, auto of) -> Status {
      report_.progress(name, done_ + done * page_bytes, std::max(total_, done_ + of * page_bytes));
      bytes = of * page_bytes;
      return report_.stop.stop_requested() ? fail(stopped()) : Status{};
    });
    done_ += bytes;
    return status;
  }

  Status copy_log() {
    auto log = sql::Connection::open(store_ / "journal.db", sql::Connection::Access::read);
    if (!log) return fail(std::move(log.error()));
    auto snapshot = sql::Transaction::snapshot(*log);
    if (!snapshot) return fail(std::move(snapshot.error()));
    auto compacted = history::compacted(*log);
    if (!compacted) return fail(std::move(compacted.error()));
    std::tie(backup_.epoch, backup_.compacted) = std::move(*compacted);
    auto last = log->prepare(
        fmt::format("SELECT seq, committed FROM batch WHERE {} ORDER BY seq DESC LIMIT 1", sound_by(*log, kBatchCrc)));
    if (!last) return fail(std::move(last.error()));
    const Result<bool> row = last->step();
    if (!row) return fail(row.error());
    if (*row) {
      backup_.last = Seq{last->integer(0)};
      backup_.committed = Timestamp{Micros{last->integer(1)}};
    }
    return copy(*log, "journal.db");
  }

  /// Years before days: what a year says is complete, the days copied after it have.
  Status copy_history() {
    std::vector<fs::path> files;
    for (const auto& year : history::year_files(store_ / "history")) files.push_back(year.path);
    for (const auto& day : history::day_files(store_ / "history")) files.push_back(day.path);
    for (const fs::path& file : files) {
      if (Status status = copy_closed(file, "history/" + file.filename().string()); !status) return status;
    }
    return {};
  }

  Status copy_state() { return copy_closed(store_ / kState, kState); }

  /// Each is replaced in one step, so what is read of it is whole.
  Status copy_edited() {
    for (const char* name : kEdited) {
      std::error_code missing;
      if (!fs::exists(store_ / name, missing)) continue;
      std::ifstream file(store_ / name, std::ios::binary);
      std::stringstream text;
      if (!file || (file.peek() != std::ifstream::traits_type::eof() && !(text << file.rdbuf()))) {
        return fail(Errc::io, "{} cannot be read", (store_ / name).string());
      }
      if (Status status = write_synced(folder_ / name, text.str()); !status) return status;
    }
    return {};
  }

  /// One with a rollback journal; nothing where it is not there, or retention took it meanwhile.
  Status copy_closed(const fs::path& file, const std::string& name) {
    auto from = history::open_as_guest(file);
    if (!from && from.error().code == Errc::not_found) return {};
    Status status = from ? copy(*from, name) : fail(from.error());
    return !status && status.error().code == Errc::corrupt ? copy_damaged(file, name) : status;
  }

  /// It is not for a backup to leave out what a salvage may still read.
  Status copy_damaged(const fs::path& file, const std::string& name) {
    std::error_code error;
    fs::copy_file(file, folder_ / name, fs::copy_options::overwrite_existing, error);
    if (error) return fail(Errc::io, "{} cannot be copied: {}", file.string(), error.message());
    backup_.damaged.push_back(name);
    return {};
  }

  Status cut_history() {
    for (const auto& day : history::day_files(history())) {
      const auto cut = history::cut_back(day.path, {backup_.epoch, backup_.compacted});
      Status status = !cut ? fail(cut.error()) : *cut ? history::withdraw(history(), day.day) : Status{};
      if (status) continue;
      if (status.error().code != Errc::corrupt) return status;
      const std::string name = "history/" + day.path.filename().string();
      if (std::find(backup_.damaged.begin(), backup_.damaged.end(), name) == backup_.damaged.end()) {
        backup_.damaged.push_back(name);
      }
    }
    return {};
  }

  Status list() {
    std::error_code ignored;
    std::vector<std::string> names = {"journal.db"};
    for (const char* name : {kState, kEdited[0], kEdited[1]}) {
      if (fs::exists(folder_ / name, ignored)) names.emplace_back(name);
    }
    for (const fs::path& file : history::all_files(history())) {
      fs::remove(file.string() + "-journal", ignored);  // an empty one
      names.push_back("history/" + file.filename().string());
    }
    for (const std::string& name : names) {
      std::ifstream bytes(folder_ / name, std::ios::binary);
      Backup::File file{name, 0, 0};
      std::vector<char> piece(kPiece);
      while (bytes.read(piece.data(), static_cast<std::streamsize>(piece.size())), bytes.gcount() > 0) {
        const auto much = static_cast<std::size_t>(bytes.gcount());
        file.crc = crc32c({piece.data(), much}, file.crc);
        file.bytes += much;
        report_.progress("reading " + name + " again", std::max(total_, done_), std::max(total_, done_));
        if (report_.stop.stop_requested()) return fail(stopped());
      }
      if (bytes.bad()) return fail(Errc::io, "{} cannot be read again", (folder_ / name).string());
      backup_.files.push_back(std::move(file));
    }
    return {};
  }

  const fs::path& store_;
  const fs::path& folder_;
  const CopyReport& report_;
  std::uint64_t total_ = 0, done_ = 0;
  Backup backup_;
};

}  // namespace

std::uint64_t Backup::bytes() const {
  return std::accumulate(files.begin(), files.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const File& file) { return sum + file.bytes; });
}

Status look_for_room(const fs::path& directory, std::uint64_t bytes) {
  std::error_code error;
  const auto room = fs::space(directory, error);
  if (error || room.available >= bytes) return {};  // where it is not known, it will show
  return fail(Errc::full, "{} has room for {} MB, and {} MB are needed", directory.string(), room.available >> 20,
              (bytes >> 20) + 1);
}

Result<Backup> back_up(const fs::path& store, const fs::path& folder, Timestamp now, const CopyReport& report) {
  std::error_code error;
  if (!fs::exists(store / "journal.db", error)) {
    return fail(Errc::not_found, "{} is not there; --data names the gateway's storage.path",
                (store / "journal.db").string());
  }
  const fs::path named = folder.has_filename() ? folder : folder.parent_path();
  if (fs::exists(named, error)) {
    return fail(Errc::conflict, "{} is there already; a backup is made in a new folder", named.string());
  }
  const fs::path partial = named.string() + ".partial";
  fs::remove_all(partial, error);  // a backup's that was cut off
  auto made = Making(store, partial, report).run(now);
  if (made) {
    fs::rename(partial, named, error);
    if (error) made = fail(Errc::io, "{} cannot be renamed: {}", partial.string(), error.message());
    sync_directory(fs::absolute(named).parent_path());
  }
  if (!made) fs::remove_all(partial, error);
  return made;
}

Result<Backup> read_backup(const fs::path& folder) {
  std::error_code error;
  const bool is_file = fs::is_regular_file(folder / kManifest, error);  // a pipe would be waited for
  std::ifstream file(is_file ? folder / kManifest : fs::path());
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return fail(Errc::not_found, "{} is no backup: it has no {} that can be read", folder.string(), kManifest);
  }
  try {
    const json manifest = json::parse(text.str());
    if (const int version = manifest.at("tidegate_backup"); version > kVersion) {
      return fail(Errc::invalid, "{} was made by a newer version (backup format {}, this program knows {})",
                  folder.string(), version, kVersion);
    }
    return from_json(manifest);
  } catch (const std::exception& why) {
    return fail(Errc::corrupt, "{} is damaged: {}", (folder / kManifest).string(), why.what());
  }
}

}  // namespace tidegate::journal
