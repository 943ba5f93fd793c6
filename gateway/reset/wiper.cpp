#include "gateway/reset/wiper.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace tidegate::reset {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1u << 20;
/// So that a slow card holds up nobody who waits for the next step for half a minute.
constexpr std::uint64_t kSyncEvery = 16u << 20;
/// The file system's own, in one that a storage folder is the top of: for root, and not to be removed.
constexpr std::string_view kOfFileSystem = "lost+found";

/// An open file or folder.
class Opened {
 public:
  explicit Opened(int fd) : fd_(fd) {}
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() {
    if (fd_ >= 0) ::close(fd_);
  }
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  const int fd_;
};

/// Before any of them is removed.
std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int again = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(again >= 0 ? ::fdopendir(again) : nullptr, ::closedir);
  if (!listing) return names;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void Wiper::empty(const fs::path& folder, std::span<const std::string_view> keep) {
  const Opened opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return cannot("opened", folder);
  empty(opened.get(), folder, keep);
}

void Wiper::remove(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const Opened opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened && errno == ENOENT) return;
  if (!opened) return cannot("opened", folder);
  struct stat there {};
  if (::fstatat(opened.get(), file.filename().c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) return;
  remove(opened.get(), file.filename(), file);
  ::fsync(opened.get());
}

void Wiper::empty(int folder, const fs::path& shown, std::span<const std::string_view> keep) {
  for (const std::string& name : names_in(folder)) {
    if (std::find(keep.begin(), keep.end(), name) == keep.end()) remove(folder, name, shown / name);
  }
  ::fsync(folder);
}

void Wiper::remove(int folder, const std::string& name, const fs::path& shown) {
  struct stat there {};
  if (::fstatat(folder, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) return cannot("looked at", shown);
  if (S_ISDIR(there.st_mode)) return remove_folder(folder, name, shown);
  if (S_ISREG(there.st_mode)) overwrite(folder, name, shown);
  if (::unlinkat(folder, name.c_str(), 0) != 0) return cannot("removed", shown);
  ++wiped_.files;
  step_();
}

void Wiper::remove_folder(int parent, const std::string& name, const fs::path& shown) {
  if (name == kOfFileSystem) return;
  {
    const Opened folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) return cannot("opened", shown);
    empty(folder.get(), shown, {});
  }
  // One that is not empty has been told of; one that something is mounted on is empty, and stays.
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != EBUSY) {
    cannot("removed", shown);
  }
}

/// A file that has a second name elsewhere is somebody else's too: a backup's.
void Wiper::overwrite(int folder, const std::string& name, const fs::path& shown) {
  const Opened file(::openat(folder, name.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat there {};
  const bool is_open = file && ::fstat(file.get(), &there) == 0;
  if (is_open && (!S_ISREG(there.st_mode) || there.st_nlink > 1)) return;
  const auto bytes = static_cast<std::uint64_t>(there.st_size);
  if (is_open && write_zeros(file.get(), bytes) && ::fdatasync(file.get()) == 0) {
    wiped_.bytes += bytes;
  } else {
    wiped_.only_removed.push_back(fmt::format("{}: {}", shown.string(), std::strerror(errno)));
  }
}

bool Wiper::write_zeros(int file, std::uint64_t bytes) {
  static const std::vector<char> kZeros(kPiece);
  for (std::uint64_t done = 0; done < bytes;) {
    const std::size_t piece = std::min<std::uint64_t>(kPiece, bytes - done);
    const ssize_t written = ::pwrite(file, kZeros.data(), piece, static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    done += static_cast<std::uint64_t>(written);
    if (done % kSyncEvery == 0 && ::fdatasync(file) != 0) return false;
    step_();
  }
  return true;
}

void Wiper::cannot(const char* what, const fs::path& shown) {
  const int error = errno;
  if (status_) status_ = fail(Errc::io, "{} cannot be {}: {}", shown.string(), what, std::strerror(error));
}

}  // namespace tidegate::reset
