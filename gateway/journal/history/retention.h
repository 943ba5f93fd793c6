#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>

#include "gateway/core/result.h"
#include "gateway/core/types.h"
#include "gateway/journal/journal.h"

namespace tidegate::journal::history {

struct Kept {
  std::uint64_t bytes = 0;          ///< that are left
  std::size_t removed = 0;          ///< files
  std::size_t thinned = 0;          ///< files
  std::optional<Timestamp> oldest;  ///< sample
};
struct Limits {
  Micros retention;         ///< of samples
  Micros rollup_retention;  ///< of hours and days
  std::uint64_t max_bytes;
  WhenFull when_full;
};
/// Removes the day files that are older than their retention, and the years. While all files take more than
/// `max_bytes`: `drop_oldest` removes the oldest day; `thin` keeps every tenth sample of the oldest day that is whole,
/// one a call, and removes days when all are thinned; `reject` leaves them: it is for the writer to store no more.
/// Today's stays. A file is removed or replaced whole, and readers that have it open finish with it.
Result<Kept> retire(const std::filesystem::path& directory, Timestamp now, const Limits& limits, std::stop_token stop);

}  // namespace tidegate::journal::history
