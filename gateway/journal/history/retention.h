#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "gateway/core/types.h"

namespace tidegate::journal::history {

struct Kept {
  std::uint64_t bytes = 0;          ///< that are left
  std::size_t removed = 0;          ///< files
  std::optional<Timestamp> oldest;  ///< sample
};
/// Removes the day files that are older than `retention`, and the oldest ones while all files take more than
/// `max_bytes` (today's stays); and the years that are older than `rollups`. A file is removed whole: nothing is
/// rewritten, and readers that have it open finish with it.
Kept retire(const std::filesystem::path& directory, Timestamp now, Micros retention, Micros rollups,
            std::uint64_t max_bytes);

}  // namespace tidegate::journal::history
