#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/core/result.h"

namespace tidegate::app {

/// A file's next content, on disk beside it until it takes its place in one step. Whoever reads the file, after a power
/// cut too, finds the old content or the new one, whole.
class NextFile {
 public:
  /// Mode 0600.
  static Result<NextFile> write(const std::filesystem::path& file, std::string_view text);
  NextFile(NextFile&& other) noexcept : file_(std::move(other.file_)), waits_(std::exchange(other.waits_, false)) {}
  NextFile& operator=(NextFile&&) = delete;
  ~NextFile();  ///< one that did not take its place goes
  Status take_place();

 private:
  explicit NextFile(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path waiting() const { return file_.string() + ".new"; }

  std::filesystem::path file_;
  bool waits_ = true;
};

}  // namespace tidegate::app
