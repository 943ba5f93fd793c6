#pragma once

#include <algorithm>

#include "rules/sliding_window.h"

namespace tidegate::rules::expr {

/// From sample to sample: how often and by how much they go up and down.
struct Steps {
  Timestamp first_time{}, last_time{};
  double first = 0, last = 0;
  double count = 0, changes = 0, resets = 0;
  double counted = 0;  ///< from the first to the last, as a counter that began anew at 0 where it fell

  static Steps of(Timestamp time, double value) { return {time, time, value, value, 1, 0, 0, 0}; }
};

inline Steps merged(const Steps& early, const Steps& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  const bool fell = late.first < early.last;
  return {early.first_time,
          late.last_time,
          early.first,
          late.last,
          early.count + late.count,
          early.changes + late.changes + (late.first != early.last ? 1 : 0),
          early.resets + late.resets + (fell ? 1 : 0),
          early.counted + late.counted + (fell ? std::max(late.first, 0.0) : late.first - early.last)};
}

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
