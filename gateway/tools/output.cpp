#include "gateway/tools/output.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "gateway/tools/surroundings.h"

namespace tidegate::tools {
namespace {

constexpr std::size_t kPiece = 64 << 10;

/// A reader that has seen enough ends the command, as it does any other's.
void end_as_others_do() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
}

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
    if (written < 0 && errno == EPIPE) end_as_others_do();
    if (written < 0) return fail(Errc::io, "the answer cannot be written: {}", std::strerror(errno));
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  waiting_.clear();
  return {};
}

Result<int> finish(Status written, Output& output) {
  if (written) written = output.flush();
  return written ? Result<int>(kDone) : fail(std::move(written.error()));
}

Status print(std::string_view text) {
  Output output;
  Status status = output.write(text);
  return status ? output.flush() : status;
}

}  // namespace tidegate::tools
