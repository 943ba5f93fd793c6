#pragma once

#include <memory>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// What a detector makes of the newest sample. `hold`: neither (inside the dead band, not enough points, no usable
/// data); it changes no phase.
enum class Verdict : std::uint8_t { clear, hold, breach };

struct Finding {
  Verdict verdict = Verdict::hold;
  double value = 0;  ///< what to show: the value, the slope per hour, the age in seconds
  double limit = 0;  ///< what it was compared with
};

/// Watches one series for one rule. Not thread-safe; the engine owns it. Gets usable samples only, in order of time.
class Detector {
 public:
  virtual ~Detector() = default;
  virtual Finding observe(const Sample& sample) = 0;
  /// Time has passed without a sample. Most have nothing to say.
  virtual Finding tick(Timestamp) { return {}; }
  /// How much of the past it must have seen to go on as if it had never been away.
  virtual Micros lookback() const { return Micros{0}; }
};

}  // namespace tidegate::rules
