#pragma once

#include <cstdint>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::drivers {

/// Nothing that is read takes so long: somebody has set the clock.
inline constexpr Micros kClockStep = std::chrono::hours(1);

/// When what is read at several intervals is due: each at whole multiples of its own ("every: 1s" on the second), and
/// all of it once at the start. What comes too late skips the turns it missed, and never runs to catch up. Pure; one
/// thread.
class Schedule {
 public:
  Schedule(const std::vector<Micros>& intervals, Timestamp start);

  Timestamp next() const;  ///< the earliest; the end of time where there is nothing to read
  /// The numbers of those that are due by `now`, in order; each is due again at its next multiple after `now`.
  const std::vector<std::size_t>& take_due(Timestamp now);
  std::uint64_t missed() const { return missed_; }  ///< turns, in all

 private:
  struct Entry {
    Micros every;
    Timestamp next;
  };
  std::vector<Entry> entries_;
  std::vector<std::size_t> due_;
  std::uint64_t missed_ = 0;
};

/// The largest of the last minute or two: how late turns come, say.
class RecentMost {
 public:
  void add(Timestamp now, Micros value);
  Micros value() const { return this_ > last_ ? this_ : last_; }

 private:
  Timestamp since_{};
  Micros this_{0}, last_{0};
};

}  // namespace tidegate::drivers
