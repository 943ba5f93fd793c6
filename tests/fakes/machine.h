#pragma once

#include <time.h>

#include <atomic>

#include "gateway/core/types.h"

namespace tidegate::test {

/// The clocks of a machine, moved by hand: for a GatewayClock(Machine::read, Machine::is_kept).
struct Machine {
  static inline std::atomic<std::int64_t> boot = 0, wall = 0;  ///< in µs
  static inline std::atomic<bool> kept = true;                 ///< by the network or a battery
  static std::int64_t read(clockid_t id) { return id == CLOCK_REALTIME ? wall : boot; }
  static bool is_kept() { return kept; }
  /// It has just started, and its clock shows that.
  static void start(Timestamp shows, bool has_battery = true) {
    boot = 1'000'000;
    wall = shows.time_since_epoch().count();
    kept = has_battery;
  }
  static void go(Micros by) {
    boot += by.count();
    wall += by.count();
  }
  static void set(Micros by) { wall += by.count(); }
  static void set(Timestamp to) { wall = to.time_since_epoch().count(); }
};

}  // namespace tidegate::test
