#pragma once

#include <algorithm>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// How far samples in a row lie apart, in value and in time.
struct Spread {
  Timestamp first_time{}, last_time{};
  double min = 0, max = 0;
  double count = 0;
  Micros widest_gap{0};

  static Spread of(Timestamp time, double value) { return {time, time, value, value, 1, Micros{0}}; }
};

inline Spread merged(const Spread& early, const Spread& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  return {early.first_time,
          late.last_time,
          std::min(early.min, late.min),
          std::max(early.max, late.max),
          early.count + late.count,
          std::max({early.widest_gap, late.widest_gap, late.first_time - early.last_time})};
}

}  // namespace tidegate::rules
