#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/core/types.h"

namespace tidegate {

/// The time, and what it is worth.
struct Moment {
  Timestamp time{};
  Micros ahead{0};      ///< of the machine's uptime (CLOCK_BOOTTIME): what turns an uptime into a time
  bool settled = true;  ///< the clock was set, or is waited for no longer: what is stamped now is not mended later
};

/// Where time enters the program. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// The gateway's time. Never runs backwards within a run.
  virtual Timestamp now() const = 0;
  virtual Moment moment() const { return {now()}; }
};

/// A timestamp further ahead of the gateway's clock than this is wrong: one of the two clocks is.
constexpr Micros kMostAhead = std::chrono::minutes(5);

/// A clock that shows less was never set: a box without one of its own, before it has asked the network.
inline constexpr Timestamp kClockIsSet = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};

/// So long from the machine's start it is waited for somebody to set its clock.
inline constexpr Micros kClockIsAwaited = std::chrono::minutes(10);

/// The machine's local time less UTC at a moment, summer time included. Any thread.
Micros local_less_utc(Timestamp at);

enum class ClockState : std::uint8_t {
  unset,    ///< a box without a battery, before it has heard from the network
  set,      ///< and so for the rest of the run
  given_up  ///< nobody has set it, and it is waited for no longer; it may be set still
};

/// `kept`: the network or a battery keeps the system's time.
constexpr ClockState clock_state(Timestamp system, Micros uptime, bool kept) {
  if (kept && system >= kClockIsSet) return ClockState::set;
  return uptime < kClockIsAwaited ? ClockState::unset : ClockState::given_up;
}

/// For the log book.
std::string_view in_words(ClockState state);

/// Moves those samples by `by` that the gateway's own clock stamped between the two times, both included. What a device
/// stamped with a time of its own lies elsewhere.
void restamp(std::span<Sample> samples, Timestamp from, Timestamp to, Micros by);

/// Of the machine's start, different for each; empty where the system does not tell.
std::string boot_id();

/// Where the clock of a run begins: at the system's, or where the last run left off, if the system's came back behind
/// that. Not if it lies more than a day behind and was set: then the last run's was wrong, and must not be so for ever.
constexpr Timestamp beginning(Timestamp system, Timestamp left_off, bool set) {
  const bool believed = left_off - system <= std::chrono::days(1) || !set;
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
/// caught up (the pump calls it each second and journals what it returns). A system clock that nobody has set is no
/// measure.
class GatewayClock final : public Clock {
 public:
  /// Gives CLOCK_REALTIME or CLOCK_BOOTTIME in µs; a test has its own.
  using Read = std::int64_t (*)(clockid_t);
  static std::int64_t read_system(clockid_t id);
  /// Does the network or a battery keep the system's time? Of a PC: always.
  using Kept = bool (*)();
  static bool is_kept();

  explicit GatewayClock(Read read = read_system, Kept kept = is_kept);
  Timestamp now() const override { return moment().time; }
  Moment moment() const override;
  ClockState state() const { return state_.load(); }
  /// Once, before any other thread has the clock: goes on from where the last run left off, where beginning() says so.
  /// Returns how far ahead of the system clock that is.
  Micros begin_after(Timestamp left_off);
  /// How far the system clock has moved against ours since the last call, if by more than `tolerance`; one thread.
  std::optional<Micros> correct(Micros tolerance = std::chrono::milliseconds(500));

 private:
  std::optional<Micros> follow(Timestamp system, std::int64_t boot, ClockState state, Micros tolerance);
  ClockState look(Timestamp system, std::int64_t boot) const;

  const Read read_;
  const Kept kept_;
  std::atomic<std::int64_t> offset_;           ///< wall time minus CLOCK_BOOTTIME, in µs
  mutable std::atomic<std::int64_t> last_{0};  ///< the newest time given, which stands while the offset shrinks
  std::int64_t corrected_at_;                  ///< by CLOCK_BOOTTIME
  std::int64_t held_ = 0;                      ///< what is left of a step backwards, in µs: it is told once
  std::atomic<ClockState> state_{ClockState::unset};
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
