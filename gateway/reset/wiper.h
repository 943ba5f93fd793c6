#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"

namespace tidegate::reset {

/// What was wiped.
struct Wiped {
  std::uint64_t files = 0, bytes = 0;
  std::vector<std::string> only_removed;  ///< what could not be overwritten first, and why
};

/// Overwrites files with zeros, has that on disk, and removes them. What cannot be removed does not keep it from the
/// rest. Symbolic links are removed and never followed, so that root may wipe the folder of a user whom it need not
/// trust. One thread.
class Wiper {
 public:
  /// `step` is called after each megabyte and each file.
  explicit Wiper(std::function<void()> step) : step_(std::move(step)) {}

  /// All that is in a folder, but for these names in it.
  void empty(const std::filesystem::path& folder, std::span<const std::string_view> keep);
  /// One file, where it is there.
  void remove(const std::filesystem::path& file);

  const Wiped& wiped() const { return wiped_; }
  /// Errc::io: the first thing that could not be removed.
  const Status& status() const { return status_; }

 private:
  void empty(int folder, const std::filesystem::path& shown, std::span<const std::string_view> keep);
  void remove(int folder, const std::string& name, const std::filesystem::path& shown);
  void remove_folder(int parent, const std::string& name, const std::filesystem::path& shown);
  void overwrite(int folder, const std::string& name, const std::filesystem::path& shown);
  bool write_zeros(int file, std::uint64_t bytes);
  void cannot(const char* what, const std::filesystem::path& shown);

  const std::function<void()> step_;
  Wiped wiped_;
  Status status_;
};

}  // namespace tidegate::reset
