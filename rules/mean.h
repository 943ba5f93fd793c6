#pragma once

#include "gateway/core/types.h"

namespace tidegate::rules {

/// Count, mean and variance of a run of samples, relative to the run's own first sample, so that a large offset of the
/// values eats nothing.
struct Mean {
  Timestamp first_time{};
  double first_value = 0;
  double count = 0;
  double mean_value = 0;  ///< above first_value
  double vv = 0;          ///< sum of squares of value about its mean

  static Mean of(Timestamp time, double value) { return {time, value, 1, 0, 0}; }
};

/// Of two runs as one, `late` after `early` (Chan, Golub, LeVeque 1979: pairwise updating). Nothing is ever subtracted
/// from a sum, so nothing cancels.
inline Mean merged(const Mean& early, const Mean& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  const double count = early.count + late.count;
  const double share = late.count / count;
  const double value = late.first_value - early.first_value + late.mean_value - early.mean_value;
  return {early.first_time, early.first_value, count, early.mean_value + value * share,
          early.vv + (late.vv + value * value * early.count * share)};
}

}  // namespace tidegate::rules
