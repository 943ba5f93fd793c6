#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <deque>
#include <optional>

#include "gateway/core/types.h"
#include "rules/clock_cells.h"

namespace tidegate::rules {

/// The median of the slopes between any two of the samples with `newest - width < time <= newest` (H. Theil 1950,
/// P. K. Sen 1968): as long as fewer than 29 % of them are outliers, these do not decide. Of the samples in each 1/128
/// of the width on the clock the first one counts, so at most 129 do. They are looked at when one of them comes or
/// goes: 8,256 slopes at most.
class RobustSlopeWindow {
 public:
  static constexpr std::int64_t kCells = 128;
  /// As many come together in any window that is dense enough.
  static constexpr std::size_t kSureSamples = 100;

  explicit RobustSlopeWindow(Micros width) : width_(width) {}

  /// In order of time.
  void add(Timestamp time, double value) {
    const std::size_t before = points_.size();
    while (!points_.empty() && points_.front().time <= time - width_) points_.pop_front();
    const bool left = points_.size() < before;
    const bool comes = points_.empty() || cell(time) != cell(points_.back().time);
    if (comes) points_.push_back({time, value});
    if (left || comes) slope_ = median_slope();
  }
  std::size_t count() const { return points_.size(); }
  Micros span() const { return points_.empty() ? Micros{0} : points_.back().time - points_.front().time; }
  /// A second. Nothing of fewer than two samples, or where slopes left a double's range.
  std::optional<double> slope() const { return slope_; }
  /// What it must have seen to go on as if it had never been away: the cell of its oldest sample as well.
  static Micros lookback(Micros width) { return width + width / kCells + Micros{1}; }

 private:
  struct Point {
    Timestamp time;
    double value;
  };
  static constexpr auto kMost = static_cast<std::size_t>(kCells) + 1;

  std::int64_t cell(Timestamp time) const { return clock_cell(time, width_, kCells); }

  std::optional<double> median_slope() const {
    std::array<double, kMost*(kMost - 1) / 2> slopes;
    std::size_t count = 0;
    for (std::size_t i = 1; i < points_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double time = static_cast<double>((points_[i].time - points_[j].time).count()) * 1e-6;
        slopes[count] = (points_[i].value - points_[j].value) / time;
        if (!std::isfinite(slopes[count++])) return std::nullopt;
      }
    }
    if (count == 0) return std::nullopt;
    const auto begin = slopes.begin(), half = begin + static_cast<std::ptrdiff_t>(count / 2);
    std::nth_element(begin, half, begin + static_cast<std::ptrdiff_t>(count));
    return count % 2 == 1 ? *half : (*half + *std::max_element(begin, half)) / 2;
  }

  Micros width_;
  std::deque<Point> points_;
  std::optional<double> slope_;
};

}  // namespace tidegate::rules
