#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "gateway/core/types.h"
#include "rules/mean.h"
#include "rules/sliding_window.h"

namespace tidegate::rules {

/// A Mean and the covariance of its values with time, which is relative to the run's first sample too: squared epoch
/// times would exceed a double's 53 bits and eat the slope.
struct Moments : Mean {
  double mean_time = 0;  ///< seconds after first_time
  double tt = 0;         ///< sum of squares of time about its mean, s²
  double tv = 0;         ///< sum of products of time and value about their means

  static Moments of(Timestamp time, double value) { return {Mean::of(time, value), 0, 0, 0}; }
};

inline Moments merged(const Moments& early, const Moments& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  Moments both{merged(static_cast<const Mean&>(early), static_cast<const Mean&>(late)), 0, 0, 0};
  const double share = late.count / both.count;
  const double time =
      static_cast<double>((late.first_time - early.first_time).count()) * 1e-6 + late.mean_time - early.mean_time;
  const double value = late.first_value - early.first_value + late.mean_value - early.mean_value;
  both.mean_time = early.mean_time + time * share;
  both.tt = early.tt + (late.tt + time * time * early.count * share);
  both.tv = early.tv + (late.tv + time * value * early.count * share);
  return both;
}

/// The line that fits some samples best, by ordinary least squares.
struct Line {
  double slope;  ///< per second
  double value;  ///< at the time that was asked for
  double fit;    ///< R², from 0 to 1: how much of the values' variance it explains; 1 where they are all on it
};

/// Nothing while all samples have one time, or where the sums left a double's range.
inline std::optional<Line> line(const Moments& sum, Timestamp at) {
  const double slope = sum.tv / sum.tt;
  const double time = static_cast<double>((at - sum.first_time).count()) * 1e-6 - sum.mean_time;
  const double value = sum.first_value + sum.mean_value + slope * time;
  if (!(sum.tt > 0) || !(value - value == 0)) return std::nullopt;
  return Line{slope, value, sum.vv > 0 ? slope * (sum.tv / sum.vv) : 1};
}

/// When the line reaches a limit: so many seconds from now at the earliest and at the latest; the latter may be never.
struct Band {
  double earliest, latest;
};

/// Of a line that is `way` short of its limit `at` a time and approaches it with `speed` a second: where the line less
/// and more two of its standard errors reach it, so with about 95 % (E. C. Fieller, *Some Problems in Interval
/// Estimation*, 1954). With the residual variance s² = (vv - tv²/tt)/(n - 2) and x seconds after the mean time, d from
/// the mean value to the limit: (d - speed x)² = 4 s² (1/n + x²/tt). Samples that depend on each other know less than
/// that.
inline std::optional<Band> band(const Moments& sum, Timestamp at, double way, double speed) {
  if (sum.count < 3 || !(sum.tt > 0) || !(speed > 0)) return std::nullopt;
  const double now = static_cast<double>((at - sum.first_time).count()) * 1e-6 - sum.mean_time;
  const double error = 4 * std::max(0.0, sum.vv - sum.tv / sum.tt * sum.tv) / (sum.count - 2);
  const double d = way + speed * now;
  const double a = speed * speed - error / sum.tt, c = d * d - error / sum.count;
  const double root = d * d * speed * speed - a * c;
  constexpr double kForever = std::numeric_limits<double>::infinity();
  if (!(root >= 0)) return Band{0, kForever};
  const double both = d * speed + std::sqrt(root);
  return Band{std::max(0.0, c / both - now), a > 0 ? both / a - now : kForever};
}

/// Ordinary least squares over the samples with `newest - width < time <= newest`.
class SlopeWindow : public SlidingWindow<Moments> {
 public:
  explicit SlopeWindow(Micros width) : SlidingWindow(width) {}
  /// Its value is that at the newest sample's time.
  std::optional<Line> line() const { return rules::line(all(), newest()); }
  /// As band(), at the newest sample's time.
  std::optional<Band> band(double way, double speed) const { return rules::band(all(), newest(), way, speed); }
};

}  // namespace tidegate::rules
