#include "gateway/journal/reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace tidegate::journal {

Reserve::Reserve(std::filesystem::path file, std::uint64_t bytes) : file_(std::move(file)), bytes_(bytes) {}

bool Reserve::spend() {
  if (std::exchange(spent_, true)) return false;
  std::error_code ignored;
  return std::filesystem::remove(file_, ignored);
}

bool Reserve::make() {
  if (!spent_) return true;
  const int file = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return errno != ENOSPC && errno != EDQUOT;
  // Blocks of its own, not a hole: fallocate costs no writes to the flash.
  const int error = ::posix_fallocate(file, 0, static_cast<off_t>(bytes_));
  ::close(file);
  spent_ = error != 0;
  std::error_code ignored;
  if (spent_) std::filesystem::remove(file_, ignored);
  return error != ENOSPC && error != EDQUOT;
}

}  // namespace tidegate::journal
