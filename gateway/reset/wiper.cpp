#include "gateway/reset/wiper.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "gateway/core/fd.h"

namespace tidegate::reset {
namespace {

namespace fs = std::filesystem;

constexpr off_t kPiece = 1 << 20;
/// So that a slow card holds up nobody who waits for the next step for half a minute.
constexpr off_t kSyncEvery = 16 << 20;
/// The file system's own, in one that a storage folder is the top of: root's, and not to be removed.
constexpr std::string_view kOfFileSystem = "lost+found";

Fd open_folder(int parent, const fs::path& name, int flags) {
  return Fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags));
}

/// Another file system is mounted on the folder.
bool is_mount(int folder, int parent) {
  struct stat here {
  }, above{};
  return ::fstat(folder, &here) == 0 && ::fstat(parent, &above) == 0 && here.st_dev != above.st_dev;
}

}  // namespace

void Wiper::empty(const fs::path& folder, std::span<const std::string_view> keep) {
  const Fd opened = open_folder(AT_FDCWD, folder, 0);
  if (!opened) return cannot("opened", folder);
  for (const std::string& name : names_in(opened.get(), folder)) {
    if (std::find(keep.begin(), keep.end(), name) != keep.end()) continue;
    if (name == kOfFileSystem) {
      empty_lost_and_found(opened.get(), folder / name);
    } else {
      remove(opened.get(), name, folder / name);
    }
  }
  ::fsync(opened.get());
}

void Wiper::remove_ending(const fs::path& folder, std::string_view ending) {
  struct stat there {};
  if (::lstat(folder.c_str(), &there) != 0 && errno == ENOENT) return;
  if (!S_ISDIR(there.st_mode)) return remove(folder);
  const Fd opened = open_folder(AT_FDCWD, folder, O_NOFOLLOW);
  if (!opened) return cannot("opened", folder);
  for (const std::string& name : names_in(opened.get(), folder)) {
    if (name.ends_with(ending)) remove(opened.get(), name, folder / name);
  }
  ::fsync(opened.get());
}

void Wiper::remove(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const Fd opened = open_folder(AT_FDCWD, folder, 0);
  if (!opened && errno == ENOENT) return;
  if (!opened) return cannot("opened", folder);
  struct stat there {};
  if (::fstatat(opened.get(), file.filename().c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) return;
  remove(opened.get(), file.filename(), file);
  ::fsync(opened.get());
}

void Wiper::empty(int folder, const fs::path& shown) {
  for (const std::string& name : names_in(folder, shown)) remove(folder, name, shown / name);
  ::fsync(folder);
}

/// Mostly there is nothing in it, and nobody but root can look.
void Wiper::empty_lost_and_found(int folder, const fs::path& shown) {
  const Fd opened = open_folder(folder, shown.filename(), O_NOFOLLOW);
  if (opened && !is_mount(opened.get(), folder)) return empty(opened.get(), shown);
  wiped_.notes.push_back(fmt::format("{} stays as it is: {}", shown.string(),
                                     opened ? "another file system is mounted there" : std::strerror(errno)));
}

void Wiper::remove(int folder, const std::string& name, const fs::path& shown) {
  if (stopped()) return;
  struct stat there {};
  if (::fstatat(folder, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) return cannot("looked at", shown);
  if (S_ISDIR(there.st_mode)) return remove_folder(folder, name, shown);
  if (S_ISREG(there.st_mode)) overwrite(folder, name, shown);
  if (stopped()) return;
  if (::unlinkat(folder, name.c_str(), 0) != 0) return cannot("removed", shown);
  ++wiped_.files;
  step();
}

void Wiper::remove_folder(int parent, const std::string& name, const fs::path& shown) {
  const Fd folder = open_folder(parent, name, O_NOFOLLOW);
  if (!folder) return cannot("opened", shown);
  if (is_mount(folder.get(), parent)) {
    errno = EBUSY;
    return cannot("removed, for another file system is mounted there: unmount it", shown);
  }
  empty(folder.get(), shown);
  // One that is not empty where something in it could not be removed was told of.
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) cannot("removed", shown);
}

/// A file that has a second name elsewhere is somebody else's too: a backup's.
void Wiper::overwrite(int folder, const std::string& name, const fs::path& shown) {
  const Fd file(::openat(folder, name.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat there {};
  const bool is_open = file && ::fstat(file.get(), &there) == 0;
  if (is_open && (!S_ISREG(there.st_mode) || there.st_nlink > 1)) return;
  const bool is_zeros = is_open && write_zeros(file.get(), there.st_size) && ::fdatasync(file.get()) == 0;
  if (stopped()) return;
  if (is_zeros) {
    wiped_.bytes += static_cast<std::uint64_t>(there.st_size);
  } else {
    wiped_.notes.push_back(
        fmt::format("{} was removed, but not overwritten before: {}", shown.string(), std::strerror(errno)));
  }
}

/// From the end, and what is overwritten on disk is cut off: who is cut off himself does not begin again from nothing.
bool Wiper::write_zeros(int file, off_t bytes) {
  static const std::vector<char> kZeros(kPiece);
  off_t synced = bytes;
  for (off_t at = bytes; at > 0 && !stopped();) {
    const off_t piece = std::min(kPiece, at);
    for (off_t done = 0; done < piece;) {
      const ssize_t written = ::pwrite(file, kZeros.data(), static_cast<std::size_t>(piece - done), at - piece + done);
      if (written < 0 && errno != EINTR) return false;
      done += std::max<ssize_t>(written, 0);
    }
    at -= piece;
    if (synced - at >= kSyncEvery) {
      if (::fdatasync(file) != 0 || ::ftruncate(file, at) != 0) return false;
      synced = at;
    }
    step();
  }
  return true;
}

/// Before any of them is removed.
std::vector<std::string> Wiper::names_in(int folder, const fs::path& shown) {
  std::vector<std::string> names;
  Fd again = open_folder(folder, ".", 0);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(again ? ::fdopendir(again.get()) : nullptr, ::closedir);
  if (!listing) {
    cannot("listed", shown);
    return names;
  }
  again.release();
  errno = 0;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) cannot("listed", shown);
  std::sort(names.begin(), names.end());
  return names;
}

void Wiper::step() {
  if (!stopped() && !step_()) status_ = fail(Errc::stopped, "it was stopped");
}

void Wiper::cannot(const char* what, const fs::path& shown) {
  const int error = errno;
  if (status_) status_ = fail(Errc::io, "{} cannot be {}: {}", shown.string(), what, std::strerror(error));
}

}  // namespace tidegate::reset
