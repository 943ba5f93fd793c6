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
constexpr std::string_view kAside = "replaced-";

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

/// A file of the folder itself: where a link leads, or what a pipe gives, nobody has backed up.
bool has_file(const fs::path& folder, const fs::path& name, std::uint64_t bytes) {
  std::error_code error;
  fs::path at = folder;
  for (const fs::path& part : name) {
    at /= part;
    if (fs::is_symlink(fs::symlink_status(at, error))) return false;
  }
  return fs::is_regular_file(at, error) && fs::file_size(at, error) == bytes;
}

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
    if (!has_file(from_, file.name, file.bytes)) return damaged(file);
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
    return size == file.bytes && crc == file.crc ? written.sync() : damaged(file);
  }
  Status damaged(const Backup::File& file) const {
    return fail(Errc::corrupt, "{} is damaged: it is not what was backed up; nothing was changed. Take another backup",
                (from_ / file.name).string());
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

/// One name of the folder, unless it is empty, into `aside`.
Status set_aside(const fs::path& store, const std::string& name, const fs::path& aside) {
  std::error_code error;
  if (!fs::exists(store / name, error)) return {};
  if (fs::is_empty(store / name, error) && fs::remove(store / name, error)) return {};
  fs::rename(store / name, aside / name, error);
  if (!error) return {};
  return fail(Errc::io, "{} cannot be set aside: {}", (store / name).string(), error.message());
}

fs::path free_name(const fs::path& store, Timestamp now) {
  const std::string base = std::string(kAside) + time_for_name(now);
  fs::path name = base;
  for (int i = 2; fs::exists(store / name); ++i) name = fmt::format("{}.{}", base, i);
  return name;
}

/// The folder for what is replaced has the name there that it is to have in the store: a restore that was cut off goes
/// on with the same one.
fs::path name_of_aside(const fs::path& store, Timestamp now) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(ready(store), error)) {
    if (entry.path().filename().string().starts_with(kAside)) return entry.path().filename();
  }
  return free_name(store, now);
}

/// journal.db last: while it is still to come, this is not done. A backup without state.db, or without rules that are
/// edited in the gateway, leaves those here. The old WAL goes before the new file comes.
Status put_in_place(const fs::path& store, const fs::path& aside) {
  const std::pair<std::string, std::vector<std::string>> names[] = {
      {"history", {"history"}},
      {"state.db", {"state.db", "state.db-journal"}},
      {"rules.yaml", {"rules.yaml"}},
      {"rules-off.yaml", {"rules-off.yaml"}},
      {"journal.db", {"journal.db", "journal.db-wal", "journal.db-shm"}}};
  for (const auto& [name, old] : names) {
    std::error_code error;
    if (!fs::exists(ready(store) / name, error)) {
      if (error) return fail(Errc::io, "{} cannot be looked at: {}", ready(store).string(), error.message());
      continue;  // it is in its place already
    }
    for (const std::string& one : old) {
      if (Status status = set_aside(store, one, aside); !status) return status;
    }
    fs::rename(ready(store) / name, store / name, error);
    if (error) return fail(Errc::io, "{} cannot be put in place: {}", (ready(store) / name).string(), error.message());
    sync_directory(store);
  }
  return {};
}

/// Nobody else makes a restore there. What one that was cut off has left goes.
Result<DirectoryLock> take_copying(const fs::path& store) {
  if (Status status = make_private_directory(copying(store)); !status) return fail(std::move(status.error()));
  auto lock = DirectoryLock::take(copying(store));
  if (!lock && lock.error().code == Errc::conflict) {
    return fail(Errc::conflict, "another restore is at work in {}", copying(store).string());
  }
  if (!lock) return lock;
  std::error_code ignored;
  for (const auto& left : fs::directory_iterator(copying(store), ignored)) {
    if (left.path().filename() != "journal.lock") fs::remove_all(left.path(), ignored);
  }
  return lock;
}

}  // namespace

Result<Restore> Restore::prepare(const fs::path& folder, const fs::path& store, bool force, const Moment& now,
                                 const CopyReport& report) {
  auto backup = read_backup(folder);
  if (!backup) return fail(std::move(backup.error()));
  if (Status status = make_private_directory(store); !status) return fail(std::move(status.error()));
  auto lock = DirectoryLock::take(store);
  if (!lock && lock.error().code != Errc::conflict) return fail(std::move(lock.error()));
  if (lock) {
    if (Status earlier = finish_restore(store, *lock, now.time); !earlier) return fail(std::move(earlier.error()));
  } else if (restore_waits(store)) {
    return fail(Errc::conflict, "an earlier restore is ready in {}; the gateway has to take it first: restart it",
                ready(store).string());
  }
  if (!force && has_data(store)) {
    return fail(Errc::conflict,
                "{} holds data already; with --force it is set aside in there, and nothing of it is lost",
                store.string());
  }
  auto alone = take_copying(store);
  if (!alone) return fail(std::move(alone.error()));
  Status status = look_for_room(store, backup->bytes());
  if (status) status = Copying(*backup, folder, copying(store), report).run();
  std::string lost;
  if (status) status = begin_epoch(copying(store) / "journal.db", *backup, now, lost);
  const fs::path aside = free_name(store, now.time);
  if (status) status = make_private_directory(copying(store) / aside);
  if (!status) {
    std::error_code ignored;
    fs::remove_all(copying(store), ignored);
    return fail(std::move(status.error()));
  }
  Restore restore(store, std::move(*alone), {std::move(*backup), store / aside, std::move(lost)});
  if (lock) restore.lock_.emplace(std::move(*lock));
  return restore;
}

fs::path Restore::folder() const { return copying(store_); }

Result<Reinstated> Restore::finish(const std::function<Status()>& wait) {
  for (const fs::path& directory : {copying(store_) / "history", copying(store_)}) sync_directory(directory);
  std::error_code error;
  fs::rename(copying(store_), ready(store_), error);
  if (error) return fail(Errc::io, "{} cannot be renamed: {}", copying(store_).string(), error.message());
  sync_directory(store_);
  bool taken = false;
  while (!lock_ && !taken) {
    if (Status status = wait(); !status) return fail(std::move(status.error()));
    taken = !restore_waits(store_);
    if (taken) break;
    if (auto lock = DirectoryLock::take(store_)) lock_.emplace(std::move(*lock));  // the gateway has left
  }
  if (lock_) {
    if (Status status = finish_restore(store_, *lock_, Timestamp{}); !status) return fail(std::move(status.error()));
  }
  if (!fs::exists(done_.aside, error)) done_.aside.clear();
  done_.by_gateway = taken;
  return std::move(done_);
}

bool restore_waits(const fs::path& store) {
  std::error_code ignored;
  return fs::is_directory(ready(store), ignored);
}

Status finish_restore(const fs::path& store, DirectoryLock& lock, Timestamp now) {
  if (!restore_waits(store)) return {};
  const fs::path name = name_of_aside(store, now);
  const fs::path aside = ready(store) / name;
  if (Status status = make_private_directory(aside); !status) return status;
  if (Status status = put_in_place(store, aside); !status) return status;
  std::error_code error;
  for (const auto& left : fs::directory_iterator(ready(store), error)) {  // what the log was read from, if damaged
    const std::string file = left.path().filename().string();
    if (file.starts_with("journal.db.corrupt-")) fs::rename(left.path(), store / file, error);
  }
  forget_suspicion(store / "journal.db");
  lock.leave(DirectoryLock::Left::closed);
  if (!fs::is_empty(aside, error)) fs::rename(aside, store / name, error);
  if (!error) fs::remove_all(ready(store), error);
  if (error) return fail(Errc::io, "{} cannot be removed: {}", ready(store).string(), error.message());
  sync_directory(store);
  return {};
}

}  // namespace tidegate::journal
