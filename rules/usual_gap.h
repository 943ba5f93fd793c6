#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// How long a series is silent as a rule, from the times of its samples: the time that no more than a sixteenth of the
/// last gaps between two samples exceed. An outage, or a lost message now and then, does not move it, nor do bursts of
/// up to eight samples. It knows at most 64 gaps, all between samples with `newest - kWidth < time <= newest`: what
/// was before that changes nothing.
class UsualGap {
 public:
  static constexpr Micros kWidth = std::chrono::days(1);
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kLeast = 8;  ///< fewer gaps say nothing

  /// In order of time. Two samples of one moment are one.
  void add(Timestamp time) {
    while (!gaps_.empty() && gaps_.front().from <= time - kWidth) drop_oldest();
    if (time > newest_ && newest_ > time - kWidth) {
      if (gaps_.size() == kMost) drop_oldest();
      const Micros length = time - newest_;
      gaps_.push_back({newest_, length});
      sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), length), length);
    }
    newest_ = std::max(newest_, time);
  }

  /// 0 as long as it is not known.
  Micros length() const {
    return sorted_.size() < kLeast ? Micros{0} : sorted_[sorted_.size() - 1 - sorted_.size() / 16];
  }

 private:
  struct Gap {
    Timestamp from;
    Micros length;
  };

  void drop_oldest() {
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), gaps_.front().length));
    gaps_.pop_front();
  }

  Timestamp newest_ = Timestamp::min() + 2 * kWidth;  ///< before the first sample: so long ago that no gap begins there
  std::deque<Gap> gaps_;
  std::vector<Micros> sorted_;
};

}  // namespace tidegate::rules
