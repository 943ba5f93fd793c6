#include "gateway/journal/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "gateway/core/fd.h"
#include "gateway/journal/wal_look.h"

namespace tidegate::journal {
namespace {

constexpr const char* kName = "journal.lock";

/// The process number and, on a line of its own, how the journal was left.
std::string content(int file) {
  char text[64] = {};
  const ssize_t size = ::pread(file, text, sizeof text - 1, 0);
  return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::string holder(int file) {
  std::string pid = content(file);
  pid.resize(std::min(pid.find('\n'), pid.size()));
  return pid.empty() ? "another process" : "process " + pid;
}

/// SQLite takes a file that is shorter than any page for a new one.
constexpr std::uint64_t kLeastFile = 512;

constexpr std::pair<DirectoryLock::Left, std::string_view> kWords[] = {{DirectoryLock::Left::unknown, ""},
                                                                       {DirectoryLock::Left::closed, "closed\n"},
                                                                       {DirectoryLock::Left::open, "open\n"},
                                                                       {DirectoryLock::Left::lost, "lost\n"}};

DirectoryLock::Left left_as(const std::string& text) {
  const std::string word = text.substr(std::min(text.find('\n'), text.size() - 1) + 1);
  const auto found =
      std::find_if(std::begin(kWords), std::end(kWords), [&](const auto& w) { return w.second == word; });
  return found == std::end(kWords) ? DirectoryLock::Left::unknown : found->first;
}

bool write_content(int file, DirectoryLock::Left left) {
  const auto word = std::find_if(std::begin(kWords), std::end(kWords), [&](const auto& w) { return w.first == left; });
  const std::string text = std::to_string(::getpid()) + "\n" + std::string(word->second);
  return ::pwrite(file, text.data(), text.size(), 0) >= 0 && ::ftruncate(file, static_cast<off_t>(text.size())) == 0;
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kName;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    return fail(Errc::io, "{} cannot be made: {}; may this user write there?", path.string(), std::strerror(errno));
  }
  DirectoryLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::conflict, "{} is in use by {}; stop it, or give this gateway a storage.path of its own",
                directory.string(), holder(file));
  }
  lock.left_ = left_as(content(file));
  if (!write_content(file, lock.left_)) {
    return fail(Errc::io, "{} cannot be written: {}", path.string(), std::strerror(errno));
  }
  return lock;
}

void DirectoryLock::leave(Left left) {
  left_ = left;
  if (write_content(file_, left)) ::fdatasync(file_);
}

bool DirectoryLock::is_held(const std::filesystem::path& directory) {
  const Fd file(::open((directory / kName).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/// By its descriptor: who has the directory may have put anything under its name.
void DirectoryLock::hand_over(const std::filesystem::path& directory) const {
  struct stat owner {
  }, file{};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &owner) != 0 || ::fstat(file_, &file) != 0) return;
  if (S_ISREG(file.st_mode) && file.st_nlink <= 1) {
    static_cast<void>(::fchown(file_, owner.st_uid, owner.st_gid) == 0);
  }
}

DirectoryLock::~DirectoryLock() {
  if (file_ >= 0) ::close(file_);
}

std::string what_is_missing(const DirectoryLock& lock, const std::filesystem::path& journal) {
  using Left = DirectoryLock::Left;
  if (lock.left() == Left::unknown) return {};
  std::error_code none;
  if (const auto size = std::filesystem::file_size(journal, none); none || size < kLeastFile)
    return "journal.db is missing or empty: what was in it is lost, how much is not known";
  const std::filesystem::path wal = journal.string() + "-wal";
  const bool has_wal = std::filesystem::exists(wal);
  if (const std::uint64_t lost = has_wal ? commits_behind_damage(wal) : 0; lost > 0) {
    return fmt::format("journal.db-wal is damaged: at least {} commits behind the damage are lost", lost);
  }
  if (lock.left() == Left::lost) {
    return "journal.db or journal.db-wal was missing or damaged: what was in it is lost, how much is not known";
  }
  if (lock.left() == Left::closed || has_wal) return {};
  return "journal.db-wal is missing: what was in it is lost, how much is not known";
}

}  // namespace tidegate::journal
