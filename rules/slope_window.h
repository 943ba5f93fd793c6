#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// Count, means and co-moments of a run of samples, relative to the run's own first sample: squared epoch times would
/// exceed a double's 53 bits and eat the slope, and so would a large offset of the values.
struct Moments {
  Timestamp first_time{};
  double first_value = 0;
  double count = 0;
  double mean_time = 0;   ///< seconds after first_time
  double mean_value = 0;  ///< above first_value
  double tt = 0;          ///< sum of squares of time about its mean, s²
  double tv = 0;          ///< sum of products of time and value about their means
};

/// The moments of two runs as one, `late` after `early` (Chan, Golub, LeVeque 1979: pairwise updating). Nothing is ever
/// subtracted from a sum, so nothing cancels.
inline Moments merged(const Moments& early, const Moments& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  const double count = early.count + late.count;
  const double share = late.count / count;
  const double time =
      static_cast<double>((late.first_time - early.first_time).count()) * 1e-6 + late.mean_time - early.mean_time;
  const double value = late.first_value - early.first_value + late.mean_value - early.mean_value;
  Moments both = early;
  both.count = count;
  both.mean_time += time * share;
  both.mean_value += value * share;
  both.tt += late.tt + time * time * early.count * share;
  both.tv += late.tv + time * value * early.count * share;
  return both;
}

/// Ordinary least squares over the samples with `newest - width < time <= newest`. A queue of two stacks (Tangwongsan,
/// Hirzel, Schneider 2015: sliding-window aggregation without inverses): O(1) amortised a sample, and as exact after
/// 10^8 samples as after ten. Up to kMaxRuns samples are kept one by one; in a denser window neighbours are merged,
/// which keeps every sum and makes only the window's old edge coarser, by at most 1/4096 of its width.
class SlopeWindow {
 public:
  static constexpr std::size_t kMaxRuns = 8192;

  explicit SlopeWindow(Micros width) : width_(width) {}

  /// In order of time.
  void add(Timestamp time, double value) {
    expire(time);
    const Moments one{time, value, 1, 0, 0, 0, 0};
    if (!back_.empty() && time - back_.back().first_time < grain_) {
      back_.back() = merged(back_.back(), one);
    } else {
      if (back_.size() + front_.size() >= kMaxRuns) coarsen();
      back_.push_back(one);
    }
    back_sum_ = merged(back_sum_, one);
    newest_ = time;
  }

  std::size_t count() const {
    return static_cast<std::size_t>((front_.empty() ? 0 : front_.back().count) + back_sum_.count);
  }
  /// What it keeps: never more than kMaxRuns.
  std::size_t runs() const { return front_.size() + back_.size(); }
  Micros span() const { return count() == 0 ? Micros{0} : newest_ - oldest(); }
  /// Per second; nothing while all samples have one time, or where the sums left a double's range.
  std::optional<double> slope() const {
    const Moments all = front_.empty() ? back_sum_ : merged(front_.back(), back_sum_);
    const double slope = all.tv / all.tt;
    if (!(all.tt > 0) || !(slope - slope == 0)) return std::nullopt;
    return slope;
  }

 private:
  Timestamp oldest() const { return front_.empty() ? back_.front().first_time : front_.back().first_time; }

  void expire(Timestamp now) {
    const Timestamp edge = now - width_;
    while (true) {
      if (front_.empty()) turn_over();
      if (front_.empty() || front_.back().first_time > edge) return;
      front_.pop_back();
    }
  }

  /// The back, oldest last, each with the moments of itself and all after it.
  void turn_over() {
    Moments sum;
    front_.reserve(back_.size());
    while (!back_.empty()) {
      sum = merged(back_.back(), sum);
      front_.push_back(sum);
      back_.pop_back();
    }
    back_sum_ = {};
  }

  /// From here on a run is as wide as the grain; no more than 4097 of them fit into the window.
  void coarsen() {
    grain_ = std::max(grain_ * 2, width_ / 4096 + Micros{1});
    std::vector<Moments> kept;
    for (auto run = front_.rbegin(); run != front_.rend(); ++run) {
      if (kept.empty() || run->first_time - kept.back().first_time >= grain_) kept.push_back(*run);
    }
    front_.assign(kept.rbegin(), kept.rend());
    kept.clear();
    for (const Moments& run : back_) {
      if (kept.empty() || run.first_time - kept.back().first_time >= grain_) {
        kept.push_back(run);
      } else {
        kept.back() = merged(kept.back(), run);
      }
    }
    back_ = std::move(kept);
  }

  Micros width_;
  Micros grain_{0};
  Timestamp newest_{};
  std::vector<Moments> front_;
  std::vector<Moments> back_;
  Moments back_sum_;
};

}  // namespace tidegate::rules
