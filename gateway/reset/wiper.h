#pragma once

#include <sys/types.h>

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
  std::vector<std::string> notes;  ///< what could not be overwritten before it was removed, or stays, and why
};

/// After each megabyte and each file; whether to go on.
using Step = std::function<bool()>;

/// Overwrites files with zeros, has that on disk, and removes them. What cannot be removed does not keep it from the
/// rest. Symbolic links are removed and never followed, so that root may wipe the folder of a user whom it need not
/// trust; other file systems are left alone, and told as what cannot be removed. One thread.
class Wiper {
 public:
  explicit Wiper(Step step) : step_(std::move(step)) {}

  /// All that is in a folder, but for these names in it; its `lost+found` is only emptied.
  void empty(const std::filesystem::path& folder, std::span<const std::string_view> keep);
  /// What is in a folder, where it is there, under names that end so. Where a link stands in its place, the link.
  void remove_ending(const std::filesystem::path& folder, std::string_view ending);
  /// One file, where it is there.
  void remove(const std::filesystem::path& file);

  const Wiped& wiped() const { return wiped_; }
  /// Errc::io: the first thing that could not be removed. Errc::stopped: a step said so, and nothing is wiped since.
  const Status& status() const { return status_; }

 private:
  void empty(int folder, const std::filesystem::path& shown);
  void empty_lost_and_found(int folder, const std::filesystem::path& shown);
  void remove(int folder, const std::string& name, const std::filesystem::path& shown);
  void remove_folder(int parent, const std::string& name, const std::filesystem::path& shown);
  void overwrite(int folder, const std::string& name, const std::filesystem::path& shown);
  bool write_zeros(int file, off_t bytes);
  std::vector<std::string> names_in(int folder, const std::filesystem::path& shown);
  void step();
  bool stopped() const { return !status_ && status_.error().code == Errc::stopped; }
  void cannot(const char* what, const std::filesystem::path& shown);

  const Step step_;
  Wiped wiped_;
  Status status_;
};

}  // namespace tidegate::reset
