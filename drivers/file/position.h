#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "gateway/core/result.h"

namespace tidegate::drivers::file {

/// How far a file has been read, and which.
struct Position {
  std::uint64_t device = 0, inode = 0;
  std::uint64_t offset = 0;
  std::uint64_t head = 0;  ///< of its first bytes: an inode may come again

  friend bool operator==(const Position&, const Position&) = default;
};

/// Of the first bytes of an open file, as many as count for a file read to `offset`. Nothing: it is shorter.
std::optional<std::uint64_t> head_of(int file, std::uint64_t offset);

/// A position on disk. Nothing: it was never kept.
Result<std::optional<Position>> load_position(const std::filesystem::path& path);
/// All or nothing, and on disk on return.
Status save_position(const std::filesystem::path& path, const Position& position);

}  // namespace tidegate::drivers::file
