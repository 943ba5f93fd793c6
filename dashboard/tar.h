#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::dashboard {

/// The files of a folder, which do not change meanwhile, as one file of POSIX' ustar format. It is made as it is read
/// and takes no more memory than a piece of it. One thread.
class Tar {
 public:
  /// `name`: the folder's in it. Errc::io, Errc::invalid (a name is too long).
  static Result<Tar> of(const std::filesystem::path& folder, const std::string& name, Timestamp made);

  std::uint64_t size() const { return size_; }
  /// What comes next, until the next call; empty at the end. Errc::io.
  Result<std::string_view> next();

 private:
  struct File {
    std::filesystem::path path;
    std::string name;
    std::uint64_t bytes = 0;
  };
  Result<std::string_view> begin_file();
  Result<std::string_view> read_file();

  std::vector<File> files_;
  std::size_t at_ = 0;  ///< the file that is read, or comes next
  std::uint64_t size_ = 0, left_ = 0, seconds_ = 0;
  bool is_inside_ = false, is_closed_ = false;
  std::ifstream file_;
  std::string piece_;
};

}  // namespace tidegate::dashboard
