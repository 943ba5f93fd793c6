#pragma once

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

/// What to do about a difference between the system clock and the gateway's own.
struct ClockCorrection {
  Micros adopt{0};               ///< to add to the gateway's clock now; never negative
  Micros held{0};                ///< a step backwards that is known and waited out (negative), else 0
  std::optional<Micros> report;  ///< the difference, where it is news
};

/// A pure function: `difference` is the system clock less ours, `held` what the last correction left, and less than
/// `tolerance` is no step.
constexpr ClockCorrection correction(Micros difference, Micros held, Micros tolerance) {
  if (difference > tolerance) return {difference, Micros{0}, difference};
  if (difference >= -tolerance) return {Micros{0}, Micros{0}, std::nullopt};
  const Micros moved = difference > held ? difference - held : held - difference;
  if (moved <= tolerance) return {Micros{0}, held, std::nullopt};
  return {Micros{0}, difference, difference};
}

/// CLOCK_BOOTTIME carried forward from the wall time at the start, so that a step of the system clock moves no timer
/// by itself. `correct()` adopts a step: forwards at once, backwards by standing on its own pace until the system
/// clock has caught up (the pump calls it and journals what it returns).
class GatewayClock final : public Clock {
 public:
  GatewayClock();
  Timestamp now() const override;
  /// How far the system clock has moved against ours since the last call, if by more than `tolerance`; one thread.
  std::optional<Micros> correct(Micros tolerance = std::chrono::milliseconds(500));

 private:
  std::atomic<std::int64_t> offset_;  ///< wall time minus CLOCK_BOOTTIME, in µs
  std::int64_t reported_ = 0;         ///< the difference last reported, in µs: a held step is told once
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
