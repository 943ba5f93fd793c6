#pragma once

#include <algorithm>

#include "rules/counter_steps.h"
#include "rules/sliding_window.h"

namespace tidegate::rules::expr {

/// A step function: each value lasts until the next sample. Areas are relative to the first value, so that what it
/// covers before a window's edge, which nobody asks for, is 0, and a large offset eats nothing.
struct Area {
  Timestamp first_time{}, last_time{};
  double first = 0, last = 0;
  double count = 0;
  double above_first = 0;  ///< value less first, times seconds, until last_time

  static Area of(Timestamp time, double value) { return {time, time, value, value, 1, 0}; }
};

inline double seconds_between(Timestamp from, Timestamp to) { return static_cast<double>((to - from).count()) * 1e-6; }

inline Area merged(const Area& early, const Area& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  const double gap = (early.last - early.first) * seconds_between(early.last_time, late.first_time);
  const double moved = (late.first - early.first) * seconds_between(late.first_time, late.last_time);
  return {early.first_time, late.last_time,           early.first,
          late.last,        early.count + late.count, early.above_first + gap + moved + late.above_first};
}

}  // namespace tidegate::rules::expr
