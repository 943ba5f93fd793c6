#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "gateway/core/result.h"
#include "gateway/journal/history/files.h"

namespace tidegate::journal::history {

struct Rewritten {
  std::uint64_t samples = 0;       ///< in the new file
  std::uint64_t lost_samples = 0;  ///< that could not be read, or have no name any more
  std::uint64_t lost_names = 0;    ///< series and states of which a name, or a unit or kind, could not be read
  bool exact = true;               ///< every round could be read, which tells how many it had; else there may be more
};

/// Copies a day's file, row by row, into a new one at `to`, past whatever cannot be read: names and rounds keep their
/// numbers. The minutes are not taken over: they are made again of what is left. Fails where `to` cannot be written
/// (it is removed), or `from` has no readable names at all (Errc::corrupt).
Result<Rewritten> salvage_day(const std::filesystem::path& from, const std::filesystem::path& to, std::stop_token stop);

/// The same with every n-th sample of each chunk. The minutes stay as they were, made of all samples; the file says
/// that it is thinned and is never rolled up again.
Result<Rewritten> thin_day(const std::filesystem::path& from, const std::filesystem::path& to, std::size_t every,
                           std::stop_token stop);

}  // namespace tidegate::journal::history
