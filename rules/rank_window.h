#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// The samples with `newest - width < time <= newest`, in order of size. O(log n) comparisons a sample and one move of
/// at most 32 KiB. A denser window than kMaxSamples keeps one sample of each 1/2048 of its width, the first.
class RankWindow {
 public:
  static constexpr std::size_t kMaxSamples = 4096;
  /// As many come together in any window that is dense enough for them: those kept lie less than 1/1024 of it apart.
  static constexpr std::size_t kSureSamples = 1000;

  explicit RankWindow(Micros width) : width_(width) {}

  /// In order of time.
  void add(Timestamp time, double value) {
    expire(time);
    if (!samples_.empty() && time - samples_.back().time < grain_) return;
    if (samples_.size() >= kMaxSamples) coarsen();
    samples_.push_back({time, value});
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
  }
  /// Those that are too old at `now` go.
  void expire(Timestamp now) { drop_until(now - width_); }
  /// For a window whose edge is not `width` ago: those at or before its edge go.
  void drop_until(Timestamp edge) {
    while (!samples_.empty() && samples_.front().time <= edge) drop_oldest();
  }
  /// For one that is as long as so many samples: only the newest of them stay.
  void keep(std::size_t most) {
    while (samples_.size() > most) drop_oldest();
  }

  std::size_t count() const { return sorted_.size(); }
  /// Of at least one sample.
  Timestamp oldest() const { return samples_.front().time; }
  Micros span() const { return samples_.empty() ? Micros{0} : samples_.back().time - samples_.front().time; }
  /// The middle one, or the mean of the two in the middle; of at least one sample.
  double median() const {
    return middle([this](std::size_t i) { return sorted_[i]; });
  }
  /// Below which the share `q` of them lies, interpolated between the two nearest; of at least one sample.
  double quantile(double q) const {
    const double rank = q * static_cast<double>(sorted_.size() - 1);
    const auto low = static_cast<std::size_t>(rank);
    const std::size_t high = std::min(low + 1, sorted_.size() - 1);
    const double weight = rank - std::floor(rank);
    return sorted_[low] * (1 - weight) + sorted_[high] * weight;
  }
  /// The median of the distances to the median `centre` (MAD); O(log n).
  double median_distance(double centre) const {
    return middle([&](std::size_t i) { return distance(i, centre); });
  }

 private:
  struct Point {
    Timestamp time;
    double value;
  };

  template <class Rank>
  double middle(const Rank& rank) const {
    const std::size_t half = sorted_.size() / 2;
    return sorted_.size() % 2 == 1 ? rank(half) : (rank(half - 1) + rank(half)) / 2;
  }

  /// The distance to `centre` that has `i` smaller ones. Those below it, read downwards, and those above are two sorted
  /// rows: how many of the nearest i + 1 lie below is found by bisection.
  double distance(std::size_t i, double centre) const {
    const auto split =
        static_cast<std::size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), centre) - sorted_.begin());
    const std::size_t above = sorted_.size() - split, wanted = i + 1;
    const auto below_at = [&](std::size_t n) { return centre - sorted_[split - n]; };      // the n-th, from 1
    const auto above_at = [&](std::size_t n) { return sorted_[split + n - 1] - centre; };  // likewise
    std::size_t low = wanted > above ? wanted - above : 0, high = std::min(wanted, split);
    while (low < high) {
      const std::size_t n = low + (high - low) / 2;
      if (below_at(n + 1) < above_at(wanted - n)) {
        low = n + 1;
      } else {
        high = n;
      }
    }
    const double from_below = low > 0 ? below_at(low) : 0;
    const double from_above = wanted > low ? above_at(wanted - low) : 0;
    return std::max(from_below, from_above);
  }

  void drop_oldest() {
    remove(samples_.front().value);
    samples_.pop_front();
  }
  void remove(double value) { sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), value)); }

  void coarsen() {
    grain_ = std::max(grain_ * 2, width_ / 2048 + Micros{1});
    std::deque<Point> kept;
    for (const Point& point : samples_) {
      if (kept.empty() || point.time - kept.back().time >= grain_) {
        kept.push_back(point);
      } else {
        remove(point.value);
      }
    }
    samples_ = std::move(kept);
  }

  Micros width_;
  Micros grain_{0};
  std::deque<Point> samples_;
  std::vector<double> sorted_;
};

}  // namespace tidegate::rules
