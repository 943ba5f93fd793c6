#include "drivers/file/position.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace tidegate::drivers::file {
namespace {

constexpr std::uint64_t kHeadBytes = 256;

Status write_all(int file, const std::string& text) {
  if (::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0) return {};
  return fail(Errc::io, "{}", std::strerror(errno));
}

}  // namespace

std::optional<std::uint64_t> head_of(int file, std::uint64_t offset) {
  std::array<char, kHeadBytes> bytes{};
  const auto wanted = static_cast<std::size_t>(std::min(offset, kHeadBytes));
  if (::pread(file, bytes.data(), wanted, 0) != static_cast<ssize_t>(wanted)) return std::nullopt;
  std::uint64_t hash = 14'695'981'039'346'656'037u;  // FNV-1a
  for (std::size_t i = 0; i < wanted; ++i) hash = (hash ^ static_cast<std::uint8_t>(bytes[i])) * 1'099'511'628'211u;
  return hash;
}

Result<std::optional<Position>> load_position(const std::filesystem::path& path) {
  std::error_code gone;
  if (!std::filesystem::exists(path, gone)) return std::nullopt;
  std::ifstream in(path);
  Position position;
  if (in >> position.device >> position.inode >> position.offset >> position.head) return position;
  return fail(Errc::corrupt, "{} is no position that was kept; delete it to begin afresh", path.string());
}

Status save_position(const std::filesystem::path& path, const Position& position) {
  std::ostringstream text;
  text << position.device << ' ' << position.inode << ' ' << position.offset << ' ' << position.head << '\n';
  const std::string next = path.string() + ".new";
  const int file = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return fail(Errc::io, "{}: {}", next, std::strerror(errno));
  const Status written = write_all(file, text.str());
  ::close(file);
  if (!written) return fail(Errc::io, "{}: {}", next, written.error().text);
  if (std::rename(next.c_str(), path.c_str()) == 0) return {};
  return fail(Errc::io, "{}: {}", path.string(), std::strerror(errno));
}

}  // namespace tidegate::drivers::file
