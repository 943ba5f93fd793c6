#pragma once

#include <algorithm>
#include <cstddef>

#include "gateway/core/types.h"
#include "rules/ring.h"

namespace tidegate::rules {

/// What is known of the samples with `newest - width < time <= newest`, as one `Run`: a summary of samples in a row,
/// with `Run::of(time, value)` for one of them, `first_time`, `count`, and merged(early, late) for two runs as one.
///
/// A queue of two stacks (Tangwongsan, Hirzel, Schneider 2015: sliding-window aggregation without inverses): O(1)
/// amortised a sample, and since nothing is ever taken out of a summary, as exact after 10^8 samples as after ten. The
/// stacks lie back to back in one ring, so that a sample touches its two ends and nothing else. Up to kMaxRuns samples
/// are kept one by one; in a denser window neighbours are merged, which keeps every sample and makes only the window's
/// old edge coarser, by at most 1/4096 of its width.
template <class Run>
class SlidingWindow {
 public:
  static constexpr std::size_t kMaxRuns = 8192;

  /// The last sample at or before the window's beginning, which says what was at that moment, stays in it as well
  /// unless it is by more than `anchor` older than that.
  explicit SlidingWindow(Micros width, Micros anchor = Micros{0}) : width_(width), anchor_(anchor) {}

  /// In order of time.
  void add(Timestamp time, double value) { add(Run::of(time, value)); }
  /// One sample as a run.
  void add(const Run& one) {
    const Timestamp time = one.first_time;
    expire(time);
    if (grain_ > Micros{0} && ring_.size() > front_ && time - ring_.back().first_time < grain_) {
      ring_.back() = merged(ring_.back(), one);
    } else {
      if (runs() >= kMaxRuns) coarsen();
      ring_.push_back(one);
    }
    back_sum_ = merged(back_sum_, one);
    newest_ = time;
  }

  /// Those that are too old at `now` go.
  void expire(Timestamp now) { drop_until(now - width_); }
  /// For a window whose edge is not `width` ago: those at or before its edge go.
  void drop_until(Timestamp edge) {
    while (runs() > 0 && (oldest() <= edge - anchor_ || (anchor_ > Micros{0} && second_oldest() <= edge)))
      drop_oldest();
  }
  /// For one that is as long as so many samples: only the newest of them stay.
  void keep(std::size_t most) {
    while (runs() > most) drop_oldest();
  }

  std::size_t count() const { return static_cast<std::size_t>(all().count); }
  /// What it keeps: never more than kMaxRuns.
  std::size_t runs() const { return ring_.size(); }
  Micros span() const { return ring_.empty() ? Micros{0} : newest_ - oldest(); }
  Timestamp oldest() const { return ring_.front().first_time; }
  Timestamp newest() const { return newest_; }
  Run all() const { return front_ == 0 ? back_sum_ : merged(ring_.front(), back_sum_); }

 private:
  Timestamp second_oldest() const { return runs() > 1 ? ring_[1].first_time : Timestamp::max(); }

  void drop_oldest() {
    if (front_ == 0) turn_over();
    ring_.pop_front();
    --front_;
  }

  /// Each of the back becomes one run with all after it.
  void turn_over() {
    Run sum;
    for (std::size_t i = runs(); i-- > 0;) ring_[i] = sum = merged(ring_[i], sum);
    front_ = runs();
    back_sum_ = {};
  }

  /// From here on a run is as wide as the grain; no more than 4097 of them fit into the window.
  void coarsen() {
    grain_ = std::max(grain_ * 2, width_ / 4096 + Micros{1});
    std::size_t kept = 0, front = 0;
    for (std::size_t i = 0; i < runs(); ++i) {
      if (i == front_) front = kept;
      const bool is_near = kept > front && ring_[i].first_time - ring_[kept - 1].first_time < grain_;
      if (!is_near) {
        ring_[kept++] = ring_[i];
      } else if (i >= front_) {
        ring_[kept - 1] = merged(ring_[kept - 1], ring_[i]);
      }
    }
    front_ = runs() == front_ ? kept : front;
    ring_.truncate(kept);
  }

  Micros width_, anchor_;
  Micros grain_{0};
  Timestamp newest_{};
  Ring<Run> ring_;         ///< the front, each with all after it in the front; then the back, each by itself
  std::size_t front_ = 0;  ///< how many are in the front
  Run back_sum_{};
};

}  // namespace tidegate::rules
