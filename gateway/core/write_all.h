#pragma once

#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace tidegate {

/// To a file, in as many pieces as it takes. False: errno says why, and some of it may be there.
inline bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace tidegate
