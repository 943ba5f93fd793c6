#include "drivers/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

namespace fs = std::filesystem;

class OpenFile {
 public:
  explicit OpenFile(const fs::path& file) : fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> read_file(const fs::path& file) {
  constexpr std::size_t kMaxBytes = 1u << 20, kStep = 4096;
  const OpenFile open(file);
  if (open.fd() < 0) {
    const Errc code = errno == ENOENT || errno == ENOTDIR ? Errc::not_found : Errc::io;
    return fail(code, "cannot open {}: {}", file.string(), std::strerror(errno));
  }
  std::string text;
  while (text.size() < kMaxBytes) {
    const std::size_t before = text.size();
    text.resize(before + kStep);
    const ssize_t got = ::read(open.fd(), text.data() + before, kStep);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "cannot read {}: {}", file.string(), std::strerror(errno));
    if (got == 0) break;
  }
  return text;
}

Result<double> read_number(const fs::path& file) {
  const auto text = read_file(file);
  if (!text) return fail(text.error());
  double value = 0;
  if (!parse_number(trim(*text), value)) {
    return fail(Errc::io, "{} is no number: '{}'", file.string(), printable(trim(*text), 64));
  }
  return value;
}

std::string text_of(const fs::path& file) {
  const auto text = read_file(file);
  return text ? std::string(trim(*text)) : std::string();
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string as_level(std::string_view text) {
  std::string level;
  for (const char c : trim(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    const bool upper = c >= 'A' && c <= 'Z';
    level += plain ? c : upper ? static_cast<char>(c - 'A' + 'a') : '_';
  }
  return level.empty() ? "unnamed" : level;
}

}  // namespace tidegate::drivers
