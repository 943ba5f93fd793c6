#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "gateway/core/types.h"

namespace tidegate {

/// Where time enters the program. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// The gateway's time. Never runs backwards within a run.
  virtual Timestamp now() const = 0;
};

/// A timestamp further ahead of the gateway's clock than this is wrong: one of the two clocks is.
constexpr Micros kMostAhead = std::chrono::minutes(5);

/// A clock that shows less was never set: a box without one of its own, before it has asked the network.
inline constexpr Timestamp kClockIsSet = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};

/// Where the clock of a run begins: at the system's, or where the last run left off, if the system's came back behind
/// that. Not if it lies more than a day behind and was set: then the last run's was wrong, and must not be so for ever.
constexpr Timestamp beginning(Timestamp system, Timestamp left_off) {
  const bool believed = left_off - system <= std::chrono::days(1) || system < kClockIsSet;
  return left_off > system && believed ? left_off : system;
}

/// What to do about a difference between the system clock and the gateway's own.
struct ClockCorrection {
  Micros adopt{0};               ///< to add to the gateway's clock now; negative: it slows down, never steps back
  Micros held{0};                ///< what is left of a step backwards that is known (negative), else 0
  std::optional<Micros> report;  ///< the difference, where it is news
};

/// A pure function: `difference` is the system clock less ours, `held` what the last correction left, `elapsed` the
/// time since then, and less than `tolerance` is no step. A step backwards is slewed: an eighth of the time that passes
/// is taken off, so that the two clocks meet in eight times the step.
constexpr ClockCorrection correction(Micros difference, Micros held, Micros elapsed, Micros tolerance) {
  if (difference > tolerance) return {difference, Micros{0}, difference};
  if (difference >= -tolerance) return {Micros{0}, Micros{0}, std::nullopt};
  const Micros slew = std::max(-elapsed / 8, difference);
  const Micros moved = difference > held ? difference - held : held - difference;
  return {slew, difference - slew, moved > tolerance ? std::optional(difference) : std::nullopt};
}

/// CLOCK_BOOTTIME carried forward from the wall time at the start, so that a step of the system clock moves no timer
/// by itself. `correct()` adopts a step: forwards at once, backwards by running slower until the system clock has
/// caught up (the pump calls it each second and journals what it returns). A system clock that was never set is no
/// measure.
class GatewayClock final : public Clock {
 public:
  /// Gives CLOCK_REALTIME or CLOCK_BOOTTIME in µs; a test has its own.
  using Read = std::int64_t (*)(clockid_t);
  static std::int64_t read_system(clockid_t id);

  explicit GatewayClock(Read read = read_system);
  Timestamp now() const override;
  /// Once, before any other thread has the clock: goes on from where the last run left off, where beginning() says so.
  /// Returns how far ahead of the system clock that is.
  Micros begin_after(Timestamp left_off);
  /// How far the system clock has moved against ours since the last call, if by more than `tolerance`; one thread.
  std::optional<Micros> correct(Micros tolerance = std::chrono::milliseconds(500));

 private:
  const Read read_;
  std::atomic<std::int64_t> offset_;           ///< wall time minus CLOCK_BOOTTIME, in µs
  mutable std::atomic<std::int64_t> last_{0};  ///< the newest time given, which stands while the offset shrinks
  std::int64_t corrected_at_;                  ///< by CLOCK_BOOTTIME
  std::int64_t held_ = 0;                      ///< what is left of a step backwards, in µs: it is told once
};

/// For tests: stands still until told.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Timestamp start = Timestamp{std::chrono::seconds(1'700'000'000)}) : now_(start) {}
  Timestamp now() const override { return now_.load(); }
  void advance(Micros by) { now_.store(now_.load() + by); }
  void set(Timestamp to) { now_.store(to); }

 private:
  std::atomic<Timestamp> now_;
};

}  // namespace tidegate
