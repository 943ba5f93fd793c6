#pragma once

#include <cstdint>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// The number of the cell that `time` lies in, where each `width` on the absolute clock is cut into so many: it depends
/// on no sample, so that a restart changes nothing. There are cells before 1970.
inline std::int64_t clock_cell(Timestamp time, Micros width, std::int64_t cells) {
  std::int64_t whole = time.time_since_epoch() / width;
  Micros rest = time.time_since_epoch() % width;
  if (rest < Micros{0}) {
    --whole;
    rest += width;
  }
  return whole * cells + rest.count() * cells / width.count();
}

}  // namespace tidegate::rules
