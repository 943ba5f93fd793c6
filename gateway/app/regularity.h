#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gateway/core/types.h"

namespace tidegate::app {

/// Finds the interval of a series of which nobody gives one, from how long each of its samples let wait. It looks at
/// the longest wait of each minute, or of each sample where they come more seldom; what the newest sixteen of these
/// have in common is the interval. Two of them may be outages. A series that speaks when something changes has nothing
/// in common, and no interval.
class Regularity {
 public:
  static constexpr std::size_t kSlots = 16;
  static constexpr Micros kSlot = std::chrono::minutes(1);
  /// Among regular ones the third longest is at most so many times the third shortest.
  static constexpr double kAlike = 1.5;

  /// A sample came `waited` after one of the moment before; `passed`: since one came. The interval that its series has
  /// from now on; nothing: what it had stays, if that was none.
  std::optional<Micros> add(Micros waited, Micros passed);
  /// What it had before this run.
  void begin_with(Micros interval) { interval_ = interval; }

 private:
  using Millis = std::uint32_t;  ///< so that a slot is small; up to 49 days
  std::optional<Micros> look();

  std::array<Millis, kSlots> slots_{};  ///< the longest wait of each, as a ring
  std::size_t slot_ = 0;                ///< how many were filled
  Micros longest_{0}, length_{0};       ///< of the one that is being filled
  Micros interval_{0};                  ///< 0: none yet
};

}  // namespace tidegate::app
