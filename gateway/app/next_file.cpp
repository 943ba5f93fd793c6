#include "gateway/app/next_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gateway/journal/quarantine.h"

namespace tidegate::app {
namespace {

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<NextFile> NextFile::write(const std::filesystem::path& file, std::string_view text) {
  NextFile next(file);
  const int opened = ::open(next.waiting().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written = opened >= 0 && write_all(opened, text) && ::fsync(opened) == 0;
  const int why = errno;
  if (opened >= 0) ::close(opened);
  if (written) return next;
  return fail(why == ENOSPC || why == EDQUOT ? Errc::full : Errc::io, "{} cannot be written: {}; nothing was changed",
              file.string(), std::strerror(why));
}

NextFile::~NextFile() {
  std::error_code ignored;
  if (waits_) std::filesystem::remove(waiting(), ignored);
}

Status NextFile::take_place() {
  std::error_code error;
  std::filesystem::rename(waiting(), file_, error);
  if (error) return fail(Errc::io, "{} cannot be replaced: {}; nothing was changed", file_.string(), error.message());
  waits_ = false;
  journal::sync_directory(file_.parent_path());
  return {};
}

}  // namespace tidegate::app
