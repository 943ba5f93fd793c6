#include "gateway/reset/configuration.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "gateway/journal/quarantine.h"

namespace tidegate::reset {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream bytes(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(bytes), {}};
}

tl::unexpected<Error> cannot(const fs::path& file) {
  return fail(Errc::io, "{} cannot be written: {}", file.string(), std::strerror(errno));
}

/// The packaged text, on disk under another name, for whom `old` is for.
Status write_new(const fs::path& file, const struct stat& old) {
  const std::string_view text = packaged_configuration();
  const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (opened < 0) return cannot(file);
  // A text of comments and usual values: whoever may have it, nothing is given away.
  static_cast<void>(::fchown(opened, old.st_uid, old.st_gid) == 0);
  const bool written = ::write(opened, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fchmod(opened, old.st_mode & 07777) == 0 && ::fsync(opened) == 0;
  const Status status = written ? Status{} : cannot(file);
  ::close(opened);
  return status;
}

/// In one step: whoever reads it finds the one or the other. The old text keeps a name until it is overwritten, so that
/// a reset that was cut off finds it again.
Status replace(const fs::path& file, Wiper& wiper) {
  const fs::path old = file.string() + ".reset", next = file.string() + ".new";
  struct stat there {};
  const bool is_there = ::stat(file.c_str(), &there) == 0;
  if (is_there && text_of(file) != packaged_configuration()) {
    if (Status status = write_new(next, there); !status) return status;
    if (::link(file.c_str(), old.c_str()) != 0 && errno != EEXIST) return cannot(old);
    if (::rename(next.c_str(), file.c_str()) != 0) return cannot(file);
    journal::sync_directory(file.parent_path());
  }
  wiper.remove(old);
  return {};
}

fs::path marker(const fs::path& file) { return fs::absolute(file).parent_path() / "factory-reset"; }

}  // namespace

Status begin_configuration(const fs::path& file) {
  const fs::path name = marker(file);
  const int opened = ::open(name.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (opened < 0) return cannot(name);
  ::close(opened);
  journal::sync_directory(name.parent_path());
  return {};
}

bool configuration_begun(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(marker(file), ignored);
}

/// The file first: the others may not go with it, but it goes without them.
Status finish_configuration(const fs::path& file, Wiper& wiper) {
  const fs::path folder = fs::absolute(file).parent_path();
  if (Status replaced = replace(folder / file.filename(), wiper); !replaced) return replaced;
  std::vector<fs::path> parts = {folder / "secrets.yaml"};
  std::error_code ignored;
  for (const auto& part : fs::directory_iterator(folder / "conf.d", ignored)) {
    if (part.path().extension() == ".yaml") parts.push_back(part.path());
  }
  for (const fs::path& part : parts) wiper.remove(part);
  if (wiper.status()) wiper.remove(marker(file));
  return wiper.status();
}

}  // namespace tidegate::reset
