#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "tests/support/temp_dir.h"

namespace tidegate::journal {

/// The bytes of a storage folder at one moment, by name. Taken while a gateway runs they are what its crash leaves.
class StoreImage {
 public:
  StoreImage() = default;
  explicit StoreImage(const std::filesystem::path& folder) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const auto name = std::filesystem::relative(entry.path(), folder);
      // The WAL's index is memory that the processes share, no file: a crash leaves none that anyone would read.
      if (entry.is_regular_file() && !name.string().ends_with("-shm")) files[name] = test::read_file(entry.path());
    }
  }
  void put(const std::filesystem::path& folder) const {
    std::filesystem::remove_all(folder);
    for (const auto& [name, bytes] : files) {
      std::filesystem::create_directories((folder / name).parent_path());
      std::ofstream(folder / name, std::ios::binary) << bytes;
    }
  }

  std::map<std::filesystem::path, std::string> files;
};

}  // namespace tidegate::journal
