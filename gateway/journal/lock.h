#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "gateway/core/result.h"

namespace tidegate::journal {

/// One process a directory: an flock on <directory>/journal.lock, which the kernel lets go of however the process ends.
/// The file remembers how the journal was left, so that a part of it that has gone since is missed.
class DirectoryLock {
 public:
  enum class Left {
    unknown,  ///< there was no journal, or nobody knows of one
    closed,   ///< whole without its WAL
    open,     ///< the last process did not close it: its WAL belongs to it
    lost      ///< a part of it was missing, and that is not in the log yet
  };
  /// Errc::conflict names the process that holds it.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);
  /// Another process has it. Makes nothing; where the file is not there, or not for this user, nobody has.
  static bool is_held(const std::filesystem::path& directory);
  DirectoryLock(DirectoryLock&& other) noexcept : file_(std::exchange(other.file_, -1)), left_(other.left_) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

  /// How the last process left it, or this one said.
  Left left() const { return left_; }
  /// What the next one is to find. Best effort: at worst something that is missing is not missed.
  void leave(Left left);
  /// Where root has it: the file is to be of whom the directory is, who could not take it otherwise.
  void hand_over(const std::filesystem::path& directory) const;

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  int file_;
  Left left_ = Left::unknown;
};

/// What of a journal is gone since it was left so, in words, or empty. Files do not go by themselves: a card that lost
/// them, or a person who took them. Before anything opens them.
std::string what_is_missing(const DirectoryLock& lock, const std::filesystem::path& journal);

}  // namespace tidegate::journal
