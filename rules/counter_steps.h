#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// Below the half of what it was a counter began anew at 0. Above that it only wobbled: the last digits of a sensor, a
/// number that was read in two halves. What it fell by is taken back then, and counted once when it comes again.
inline double counted(double before, double now) {
  const bool began_anew = now < before && now < before / 2;
  return began_anew ? std::max(now, 0.0) : now - before;
}

/// Did it not begin anew at `low`, which is what a device says that has just started and has not looked yet? It is back
/// where it was. Fewer than a hundred whole counts, as of a condition, it may have counted again.
inline bool was_misread(double before, double low, double now) {
  constexpr double kFew = 100;
  const bool is_back = low < before / 2 && now >= before && now - before <= before / 10;
  const bool is_few = now < kFew && before == std::floor(before) && now == std::floor(now);
  return is_back && !is_few;
}

/// From sample to sample: how often and by how much they go up and down.
struct Steps {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  Timestamp first_time{}, last_time{};
  double first = 0, last = 0;
  double second = kNone, before_last = kNone;  ///< the nearest to them that are another value
  double count = 0, changes = 0, resets = 0;
  double counted = 0;  ///< from the first to the last, as a counter

  static Steps of(Timestamp time, double value) { return {time, time, value, value, kNone, kNone, 1, 0, 0, 0}; }
};

inline Steps merged(const Steps& early, const Steps& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  const bool is_same = late.first == early.last;
  const double next = is_same ? late.second : late.first;
  // Of three values in a row, the one in the middle at the seam.
  const auto put_right = [](double before, double low, double now) {
    return was_misread(before, low, now) ? now - before - counted(before, low) - counted(low, now) : 0;
  };
  double more = is_same ? 0 : counted(early.last, late.first) + put_right(early.last, late.first, late.second);
  more += put_right(early.before_last, early.last, next);
  return {early.first_time,
          late.last_time,
          early.first,
          late.last,
          std::isnan(early.second) ? next : early.second,
          !std::isnan(late.before_last) ? late.before_last
          : is_same                     ? early.before_last
                                        : early.last,
          early.count + late.count,
          early.changes + late.changes + (is_same ? 0 : 1),
          early.resets + late.resets + (late.first < early.last ? 1 : 0),
          early.counted + late.counted + more};
}

/// A counter's readings one by one.
class CounterSteps {
 public:
  /// What it counted since the reading before; less than 0 where that said too much.
  double next(double value) {
    last_.counted = 0;
    last_ = merged(last_, Steps::of({}, value));
    return last_.counted;
  }
  /// In another unit.
  void scale(double by) { last_.last *= by, last_.before_last *= by; }

 private:
  Steps last_;
};

}  // namespace tidegate::rules
