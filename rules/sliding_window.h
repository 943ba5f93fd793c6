#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// What is known of the samples with `newest - width < time <= newest`, as one `Run`: a summary of samples in a row,
/// with `Run::of(time, value)` for one of them, `first_time`, `count`, and merged(early, late) for two runs as one.
///
/// A queue of two stacks (Tangwongsan, Hirzel, Schneider 2015: sliding-window aggregation without inverses): O(1)
/// amortised a sample, and since nothing is ever taken out of a summary, as exact after 10^8 samples as after ten. Up
/// to kMaxRuns samples are kept one by one; in a denser window neighbours are merged, which keeps every sample and
/// makes only the window's old edge coarser, by at most 1/4096 of its width.
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
    if (!back_.empty() && time - back_.back().first_time < grain_) {
      back_.back() = merged(back_.back(), one);
    } else {
      if (runs() >= kMaxRuns) coarsen();
      back_.push_back(one);
    }
    back_sum_ = merged(back_sum_, one);
    newest_ = time;
  }

  /// Those that are too old at `now` go.
  void expire(Timestamp now) { drop_until(now - width_); }
  /// For a window whose edge is not `width` ago: those at or before its edge go.
  void drop_until(Timestamp edge) {
    while (runs() > 0 && (oldest() <= edge - anchor_ || second_oldest() <= edge)) drop_oldest();
  }
  /// For one that is as long as so many samples: only the newest of them stay.
  void keep(std::size_t most) {
    while (runs() > most) drop_oldest();
  }

  std::size_t count() const { return static_cast<std::size_t>(all().count); }
  /// What it keeps: never more than kMaxRuns.
  std::size_t runs() const { return front_.size() + back_.size(); }
  Micros span() const { return count() == 0 ? Micros{0} : newest_ - oldest(); }
  Timestamp oldest() const { return front_.empty() ? back_.front().first_time : front_.back().first_time; }
  Timestamp newest() const { return newest_; }
  Run all() const { return front_.empty() ? back_sum_ : merged(front_.back(), back_sum_); }

 private:
  Timestamp second_oldest() const {
    if (front_.size() > 1) return front_[front_.size() - 2].first_time;
    const std::size_t at = front_.empty() ? 1 : 0;
    return at < back_.size() ? back_[at].first_time : Timestamp::max();
  }

  void drop_oldest() {
    if (front_.empty()) turn_over();
    front_.pop_back();
  }

  /// The back, oldest last, each as one run with all after it.
  void turn_over() {
    Run sum;
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
    std::vector<Run> kept;
    for (auto run = front_.rbegin(); run != front_.rend(); ++run) {
      if (kept.empty() || run->first_time - kept.back().first_time >= grain_) kept.push_back(*run);
    }
    front_.assign(kept.rbegin(), kept.rend());
    kept.clear();
    for (const Run& run : back_) {
      if (kept.empty() || run.first_time - kept.back().first_time >= grain_) {
        kept.push_back(run);
      } else {
        kept.back() = merged(kept.back(), run);
      }
    }
    back_ = std::move(kept);
  }

  Micros width_, anchor_;
  Micros grain_{0};
  Timestamp newest_{};
  std::vector<Run> front_;
  std::vector<Run> back_;
  Run back_sum_;
};

}  // namespace tidegate::rules
