#pragma once

#include <memory>

#include "gateway/core/event.h"
#include "gateway/core/types.h"

namespace tidegate::rules {

/// What a detector makes of the newest sample. `hold`: neither (inside the dead band, not enough points, no usable
/// data); it changes no phase.
enum class Verdict : std::uint8_t { clear, hold, breach };

/// How severe it is, where a rule has levels: at least `reached`; from above it falls to `kept`, whose dead band it is
/// in. As they stand here they say nothing.
struct Levels {
  Severity reached = Severity::info;
  Severity kept = Severity::critical;
  friend constexpr bool operator==(const Levels&, const Levels&) = default;
};

struct Finding {
  Verdict verdict = Verdict::hold;
  double value = 0;  ///< what to show: the value, the slope, the age in seconds
  double limit = 0;  ///< what it was compared with, in the same unit
  Levels levels{};
};

inline constexpr Timestamp kNever = Timestamp::max();

/// Watches one series for one rule. Not thread-safe; the engine owns it. Gets usable samples only, in order of time.
class Detector {
 public:
  virtual ~Detector() = default;
  /// Before the first sample: since when there could have been one.
  virtual void listen(Timestamp /*since*/) {}
  virtual Finding observe(const Sample& sample) = 0;
  /// Called at `deadline()`, which it moves behind `now`. Only for those that act on silence.
  virtual Finding tick(Timestamp /*now*/) { return {}; }
  /// Nobody watched in between (the gateway was off, its clock was set): the silence in it does not count.
  virtual void unwatched(Timestamp /*from*/, Timestamp /*to*/) {}
  /// How much of the past it must have seen to go on as if it had never been away.
  virtual Micros lookback() const { return Micros{0}; }
  /// When it wants tick(). Not virtual: read for every sample.
  Timestamp deadline() const { return deadline_; }

 protected:
  Timestamp deadline_ = kNever;
};

}  // namespace tidegate::rules
