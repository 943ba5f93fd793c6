#include "gateway/reset/configuration.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "gateway/reset/small_file.h"

namespace tidegate::reset {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream bytes(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(bytes), {}};
}

/// Another name for the text that is to be overwritten. It is there already where a reset was cut off here.
Status keep_name(const fs::path& file, const struct stat& there, const fs::path& old) {
  if (::link(file.c_str(), old.c_str()) == 0) return {};
  const int error = errno;
  struct stat other {};
  const bool is_same = error == EEXIST && ::stat(old.c_str(), &other) == 0 && other.st_dev == there.st_dev &&
                       other.st_ino == there.st_ino;
  if (is_same) return {};
  return fail(Errc::io, "{} cannot be made: {}{}", old.string(), std::strerror(error),
              error == EEXIST ? "; move it away" : "");
}

/// In one step: whoever reads it finds the one or the other. The old text keeps a name until it is overwritten, so that
/// a reset that was cut off finds it again. The new one is of comments and usual values: whoever may have it, nothing
/// is given away.
Status replace(const fs::path& file, Wiper& wiper) {
  const fs::path old = file.string() + ".reset";
  struct stat there {};
  const bool is_there = ::stat(file.c_str(), &there) == 0;
  if (is_there && text_of(file) != packaged_configuration()) {
    if (Status kept = keep_name(file, there, old); !kept) return kept;
    const Belongs as_before{there.st_mode & 07777, there.st_uid, there.st_gid};
    if (Status written = write_durably(file, packaged_configuration(), as_before); !written) return written;
  }
  wiper.remove(old);
  return {};
}

fs::path marker(const fs::path& file) { return fs::absolute(file).parent_path() / "factory-reset"; }

}  // namespace

Status begin_configuration(const fs::path& file) { return write_durably(marker(file), "", {0600}); }

bool configuration_begun(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(fs::symlink_status(marker(file), ignored));
}

/// The file first: the others may not go with it, but it goes without them.
Status finish_configuration(const fs::path& file, Wiper& wiper) {
  const fs::path folder = fs::absolute(file).parent_path();
  if (Status replaced = replace(folder / file.filename(), wiper); !replaced) return replaced;
  wiper.remove(folder / "secrets.yaml");
  wiper.remove_ending(folder / "conf.d", ".yaml");
  if (wiper.status()) wiper.remove(marker(file));
  return wiper.status();
}

}  // namespace tidegate::reset
