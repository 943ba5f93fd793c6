#include "gateway/reset/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gateway/core/fd.h"
#include "gateway/core/write_all.h"
#include "gateway/journal/quarantine.h"

namespace tidegate::reset {
namespace {

namespace fs = std::filesystem;

/// Under a name that nobody else has made: what is there, a link to somewhere for example, goes first.
bool write_new(const fs::path& next, std::string_view text, const Belongs& belongs) {
  if (::unlink(next.c_str()) != 0 && errno != ENOENT) return false;
  const Fd opened(::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!opened) return false;
  static_cast<void>(::fchown(opened.get(), belongs.user, belongs.group) == 0);
  return write_all(opened.get(), text) && ::fchmod(opened.get(), belongs.mode) == 0 && ::fsync(opened.get()) == 0;
}

}  // namespace

Status write_durably(const fs::path& file, std::string_view text, const Belongs& belongs) {
  const fs::path next = file.string() + ".new";
  if (!write_new(next, text, belongs) || ::rename(next.c_str(), file.c_str()) != 0) {
    return fail(errno == ENOSPC || errno == EDQUOT ? Errc::full : Errc::io, "{} cannot be written: {}", file.string(),
                std::strerror(errno));
  }
  journal::sync_directory(file.parent_path());
  return {};
}

Result<std::string> read_small(const fs::path& file) {
  const auto cannot = [&](const char* why) { return fail(Errc::io, "{} cannot be read: {}", file.string(), why); };
  const Fd opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!opened) return cannot(errno == ELOOP ? "it is a symbolic link; remove it" : std::strerror(errno));
  struct stat there {};
  if (::fstat(opened.get(), &there) != 0) return cannot(std::strerror(errno));
  if (!S_ISREG(there.st_mode)) return cannot("it is no file; remove it");
  std::string text(4096, '\0');
  const ssize_t size = ::pread(opened.get(), text.data(), text.size(), 0);
  if (size < 0) return cannot(std::strerror(errno));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace tidegate::reset
