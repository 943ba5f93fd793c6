#pragma once

#include <optional>

#include "gateway/core/types.h"
#include "rules/counter_steps.h"
#include "rules/sliding_window.h"
#include "rules/slope_window.h"

namespace tidegate::rules {

/// A run of a counter's samples, each given as what was counted since the one before it. There is no total that goes on
/// for ever: a reading that is far off is gone with its sample.
struct Counts : Moments {
  double before = 0;  ///< counted from the sample before the run to its first
  double inside = 0;  ///< counted from its first sample to its last

  /// Its values are relative to its first sample, which is 0.
  static Counts of(Timestamp time, double more) { return {Moments::of(time, 0), more, 0}; }
};

inline Counts merged(const Counts& early, const Counts& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  const double way = early.inside + late.before;
  Moments behind = late;
  behind.first_value = way;
  return {merged(static_cast<const Moments&>(early), behind), early.before, way + late.inside};
}

/// What a counter counted in the samples with `newest - width < time <= newest`. Where it began anew at 0 what it
/// counted until then stays counted.
class CountWindow {
 public:
  explicit CountWindow(Micros width) : window_(width) {}

  void add(Timestamp time, double value) {
    window_.add(time, steps_.next(value));
    last_ = value;
  }
  /// For one that is as long as so many samples.
  void keep(std::size_t most) { window_.keep(most); }
  std::size_t count() const { return window_.count(); }
  Micros span() const { return window_.span(); }
  /// From the first sample to the last.
  double counted() const { return window_.all().inside; }
  /// Through what the readings would have been, had the counter not begun anew. Its value is that at the newest
  /// sample's time.
  std::optional<Line> line() const {
    const Counts all = window_.all();
    auto line = rules::line(all, window_.newest());
    if (line) line->value += last_ - all.inside;
    return line;
  }
  std::optional<Band> band(double way, double speed) const {
    return rules::band(window_.all(), window_.newest(), way, speed);
  }

 private:
  SlidingWindow<Counts> window_;
  CounterSteps steps_;
  double last_ = 0;
};

}  // namespace tidegate::rules
