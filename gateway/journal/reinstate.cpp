#include "gateway/journal/reinstate.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "gateway/core/event.h"
#include "gateway/core/time_text.h"
#include "gateway/journal/bytes.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/salvage.h"
#include "gateway/journal/schema.h"
#include "gateway/journal/writer.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1u << 20;

fs::path copying(const fs::path& store) { return store / "restore.copying"; }
fs::path ready(const fs::path& store) { return store / "restore.ready"; }

bool has_data(const fs::path& store) {
  std::error_code ignored;
  return fs::exists(store / "journal.db", ignored) || fs::exists(store / "journal.db-wal", ignored) ||
         (fs::is_directory(store / "history", ignored) && !fs::is_empty(store / "history", ignored));
}

Status make_private_directory(const fs::path& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return {};
  fs::create_directories(directory, error);
  if (!error) fs::permissions(directory, fs::perms::owner_all, error);
  return error ? fail(Errc::io, "{} cannot be made: {}", directory.string(), error.message()) : Status{};
}

/// A file being written, which is on disk when it was closed without an error.
class Written {
 public:
  explicit Written(fs::path file)
      : name_(std::move(file)), file_(::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  ~Written() {
    if (file_ >= 0) ::close(file_);
  }
  Status write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failure();
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }
  Status sync() { return ::fsync(file_) == 0 ? Status{} : failure(); }

 private:
  Status failure() const { return fail(Errc::io, "{} cannot be written: {}", name_.string(), std::strerror(errno)); }
  const fs::path name_;
  const int file_;
};

class Copying {
 public:
  Copying(const Backup& backup, const fs::path& from, const fs::path& to, const CopyReport& report)
      : backup_(backup), from_(from), to_(to), report_(report) {}

  Status run() {
    if (Status status = make_private_directory(to_ / "history"); !status) return status;
    std::error_code ignored;
    fs::permissions(to_, fs::perms::owner_all, ignored);
    for (const Backup::File& file : backup_.files) {
      if (Status status = copy(file); !status) return status;
    }
    return {};
  }

 private:
  Status copy(const Backup::File& file) {
    std::ifstream bytes(from_ / file.name, std::ios::binary);
    Written written(to_ / file.name);
    std::vector<char> piece(kPiece);
    std::uint64_t size = 0;
    std::uint32_t crc = 0;
    while (bytes.read(piece.data(), static_cast<std::streamsize>(piece.size())), bytes.gcount() > 0) {
      if (report_.stop.stop_requested()) return fail(Errc::stopped, "stopped; nothing was changed");
      const std::string_view part(piece.data(), static_cast<std::size_t>(bytes.gcount()));
      if (Status status = written.write(part); !status) return status;
      crc = crc32c(part, crc);
      size += part.size();
      report_.progress(file.name, done_ += part.size(), backup_.bytes());
    }
    if (size != file.bytes || crc != file.crc) {
      return fail(Errc::corrupt,
                  "{} is damaged: it is not what was backed up; nothing was changed. Take another backup",
                  (from_ / file.name).string());
    }
    return written.sync();
  }

  const Backup& backup_;
  const fs::path& from_;
  const fs::path to_;
  const CopyReport& report_;
  std::uint64_t done_ = 0;
};

/// A backup has the damage of the log that it was made of.
Result<Writer> open_copy(const fs::path& file, const Moment& now, std::string& lost) {
  auto writer = Writer::open(file);
  if (writer || writer.error().code != Errc::corrupt) return writer;
  const auto salvaged = salvage_in_place(file, writer.error(), now, [] {});
  if (!salvaged) return fail(salvaged.error());
  lost = std::get<Notice>(salvaged->report.events.at(0).body).text;
  return Writer::open(file);
}

/// Numbers after the last one may have been given: in this epoch none of them may come again.
Status begin_epoch(const fs::path& file, const Backup& backup, const Moment& now, std::string& lost) {
  auto writer = open_copy(file, now, lost);
  if (!writer) return fail(std::move(writer.error()));
  writer->begin_epoch();
  Batch report;
  report.seq = next(writer->found().last);
  report.committed = std::max(now.time, writer->found().last_committed);
  const std::string text =
      fmt::format("restored from a backup of {}, which held batches up to {}; what was stored after it is not in here",
                  rfc3339(backup.made), number(backup.last));
  report.events = {{report.committed, Notice{"storage", text}}};
  if (Status status = writer->append(report, {}, Writer::unset(now)); !status) return status;
  bool closed = false;
  writer->close([&closed] { closed = true; });
  return closed ? Status{} : fail(Errc::io, "{} cannot be written", file.string());
}

/// One name of the folder, unless it is empty, into `aside`, which is made when it is first needed.
Status set_aside(const fs::path& store, const std::string& name, const fs::path& aside) {
  std::error_code error;
  if (!fs::exists(store / name, error)) return {};
  if (fs::is_empty(store / name, error) && fs::remove(store / name, error)) return {};
  if (Status status = make_private_directory(aside); !status) return status;
  fs::rename(store / name, aside / name, error);
  if (!error) return {};
  return fail(Errc::io, "{} cannot be set aside: {}", (store / name).string(), error.message());
}

fs::path free_name(const fs::path& store, Timestamp now) {
  const std::string base = (store / ("replaced-" + time_for_name(now))).string();
  fs::path name = base;
  for (int i = 2; fs::exists(name); ++i) name = fmt::format("{}.{}", base, i);
  return name;
}

}  // namespace

Result<Reinstated> reinstate(const fs::path& folder, const fs::path& store, bool force, const Moment& now,
                             const CopyReport& report) {
  auto backup = read_backup(folder);
  if (!backup) return fail(std::move(backup.error()));
  if (Status status = make_private_directory(store); !status) return fail(std::move(status.error()));
  auto lock = DirectoryLock::take(store);
  if (!lock) return fail(std::move(lock.error()));
  if (const auto earlier = finish_restore(store, *lock, now.time); !earlier) return fail(earlier.error());
  if (!force && has_data(store)) {
    return fail(Errc::conflict,
                "{} holds data already; with --force it is set aside in there, and nothing of it is lost",
                store.string());
  }
  if (Status status = look_for_room(store, backup->bytes()); !status) return fail(std::move(status.error()));
  std::error_code ignored;
  fs::remove_all(copying(store), ignored);  // a restore's that was cut off
  Status status = Copying(*backup, folder, copying(store), report).run();
  std::string lost;
  if (status) status = begin_epoch(copying(store) / "journal.db", *backup, now, lost);
  if (!status) {
    fs::remove_all(copying(store), ignored);
    return fail(std::move(status.error()));
  }
  for (const fs::path& directory : {copying(store) / "history", copying(store)}) sync_directory(directory);
  std::error_code error;
  fs::rename(copying(store), ready(store), error);
  if (error) return fail(Errc::io, "{} cannot be renamed: {}", copying(store).string(), error.message());
  sync_directory(store);
  auto aside = finish_restore(store, *lock, now.time);
  if (!aside) return fail(std::move(aside.error()));
  return Reinstated{std::move(*backup), std::move(*aside), std::move(lost)};
}

/// journal.db last: while it is still to come, this is not done. A backup without state.db leaves that here. The old
/// WAL goes before the new file comes.
Result<fs::path> finish_restore(const fs::path& store, DirectoryLock& lock, Timestamp now) {
  std::error_code error;
  if (!fs::is_directory(ready(store), error)) return fs::path();
  const fs::path aside = free_name(store, now);
  const std::pair<std::string, std::vector<std::string>> names[] = {
      {"history", {"history"}},
      {"state.db", {"state.db", "state.db-journal"}},
      {"journal.db", {"journal.db", "journal.db-wal", "journal.db-shm"}}};
  for (const auto& [name, old] : names) {
    if (!fs::exists(ready(store) / name, error)) continue;  // it is in its place already
    for (const std::string& one : old) {
      if (Status status = set_aside(store, one, aside); !status) return fail(std::move(status.error()));
    }
    fs::rename(ready(store) / name, store / name, error);
    if (error) return fail(Errc::io, "{} cannot be put in place: {}", (ready(store) / name).string(), error.message());
    sync_directory(store);
  }
  for (const auto& left : fs::directory_iterator(ready(store), error)) {  // what the log was read from, if damaged
    const std::string name = left.path().filename().string();
    if (name.starts_with("journal.db.corrupt-")) fs::rename(left.path(), store / name, error);
  }
  forget_suspicion(store / "journal.db");
  lock.leave(DirectoryLock::Left::closed);
  fs::remove_all(ready(store), error);
  sync_directory(store);
  return fs::exists(aside, error) ? aside : fs::path();
}

}  // namespace tidegate::journal
