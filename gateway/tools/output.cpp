#include "gateway/tools/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tidegate::tools {
namespace {

constexpr std::size_t kPiece = 64 << 10;

}  // namespace

Status Output::write(std::string_view text) {
  waiting_ += text;
  return waiting_.size() < kPiece ? Status{} : flush();
}

Status Output::flush() {
  std::string_view left = waiting_;
  while (!left.empty()) {
    const ssize_t written = ::write(file_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(Errc::io, "the answer cannot be written: {}", std::strerror(errno));
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  waiting_.clear();
  return {};
}

}  // namespace tidegate::tools
