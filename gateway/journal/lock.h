#pragma once

#include <filesystem>
#include <utility>

#include "gateway/core/result.h"

namespace tidegate::journal {

/// One process a directory: an flock on <directory>/journal.lock, which the kernel lets go of however the process ends.
class DirectoryLock {
 public:
  /// Errc::conflict names the process that holds it.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);
  DirectoryLock(DirectoryLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  int file_;
};

}  // namespace tidegate::journal
