#pragma once

#include <cstdint>

namespace tidegate {

/// How a source keeps the turns at which it reads.
struct Turns {
  double lateness = 0;       ///< s, the most that a turn began late, of the last minute or two
  double time = 0;           ///< s, the longest that one took, of the last minute or two
  std::uint64_t missed = 0;  ///< since the gateway's start: they came while the one before was still being read
};

}  // namespace tidegate
