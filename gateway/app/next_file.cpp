#include "gateway/app/next_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gateway/core/fd.h"
#include "gateway/core/write_all.h"
#include "gateway/journal/quarantine.h"

namespace tidegate::app {

Result<NextFile> NextFile::write(const std::filesystem::path& file, std::string_view text) {
  NextFile next(file);
  const Fd opened(::open(next.waiting().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (opened && write_all(opened.get(), text) && ::fsync(opened.get()) == 0) return next;
  const int why = errno;
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
