#pragma once

#include <atomic>
#include <optional>

#include "drivers/driver.h"
#include "drivers/schedule.h"

namespace tidegate::drivers {

/// Measures how a source keeps its turns, and counts it as source/NAME/: `turn_lateness`, `turn_time` and
/// `missed_turns`. One thread at a time adds; turns(): any thread.
class TurnMeter {
 public:
  explicit TurnMeter(const Context& context);

  /// A turn that is over. A step of the clock is no lateness.
  void add(Timestamp planned, Timestamp begun, Timestamp ended, std::uint64_t missed);
  std::optional<Turns> turns() const;  ///< nothing before the first

 private:
  RecentMost late_, long_;
  Metric &lateness_, &time_, &missed_;
  std::atomic<bool> measured_ = false;
};

}  // namespace tidegate::drivers
