#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/core/event.h"
#include "gateway/core/result.h"
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

/// An instance keeps its newest one: what is small stands together.
struct Finding {
  Finding() = default;
  Finding(Verdict its_verdict, double its_value = 0, double its_limit = 0, Levels its_levels = {})
      : value(its_value), limit(its_limit), verdict(its_verdict), levels(its_levels) {}

  double value = 0;  ///< what to show: the value, the slope, the age in seconds
  double limit = 0;  ///< what it was compared with, in the same unit
  Verdict verdict = Verdict::hold;
  Levels levels{};
};

/// What the newest finding rests on, for those who ask why.
struct Basis {
  Micros span{0};  ///< so far back it looked
  std::vector<Fact> facts{};
};

inline constexpr Timestamp kNever = Timestamp::max();

/// Watches one series for one rule. Not thread-safe; the engine owns it. Gets usable samples only, in order of time.
class Detector {
 public:
  virtual ~Detector() = default;
  /// Before the first sample: since when there could have been one.
  virtual void listen(Timestamp /*since*/) {}
  /// The source gives another interval between two samples; 0: it does not say. Only for those that act on silence.
  virtual void expect(Micros /*interval*/) {}
  virtual Finding observe(const Sample& sample) = 0;
  /// Called at `deadline()`, which it moves behind `now`. Only for those that act on silence.
  virtual Finding tick(Timestamp /*now*/) { return {}; }
  /// Nobody watched in between (the gateway was off, its clock was set): the silence in it does not count.
  virtual void unwatched(Timestamp /*from*/, Timestamp /*to*/) {}
  /// How much of the past it must have seen to go on as if it had never been away.
  virtual Micros lookback() const { return Micros{0}; }
  /// Beside the finding's value and limit. `unit` is that of the series. Costs what it costs: asked at transitions.
  virtual Basis basis(const std::string& /*unit*/) const { return {}; }
  /// When it wants tick(). Not virtual: read for every sample.
  Timestamp deadline() const { return deadline_; }

 protected:
  Timestamp deadline_ = kNever;
};

/// What the values of a series are.
struct Measured : SeriesInfo {
  Measured() = default;
  Measured(SeriesInfo of) : SeriesInfo(std::move(of)) {}
  bool is_difference = false;  ///< it is made, of two levels: 5 °C are then 9 °F
};

/// What is known of a series that a rule reads.
struct Known {
  Measured info;
  std::vector<std::string> states;  ///< a state series' texts by code
};

/// Watches several series for one rule. Its inputs are numbered: the rule's `reads` in their order, then what
/// add() gave.
class Joint : public Detector {
 public:
  /// What its newest finding compared, to be shown.
  struct Shown {
    double value = 0, limit = 0;
    std::string unit;
  };
  static constexpr std::size_t kNone = static_cast<std::uint32_t>(-1);  ///< no input
  static constexpr Micros kPatience = std::chrono::seconds(1);          ///< so long it waits for the rest of a moment

  /// Of the series that the rule watches, where nothing else reads it.
  Finding observe(const Sample& sample) final {
    hear_own(sample);
    return judge();
  }
  /// Of any of its series; a bad sample says that the input is not known. One sample may be of several inputs: judge()
  /// when all have heard it.
  void hear(std::size_t input, const Sample& sample) {
    newest_ = std::max(newest_, sample.time);
    if (input != kNone) note(input, sample);
  }
  void hear_own(const Sample& sample) { hear(own_, sample); }
  /// Of what it heard until now.
  Finding judge() {
    waits_ = false;
    return judge(newest_);
  }
  /// What came together with its newest samples the last time has not come yet: judge() would see new values beside old
  /// ones. It wants tick() when it has waited for long enough.
  bool waits() const { return waits_; }
  Timestamp newest() const { return newest_; }
  /// A series was seen for the first time, or has another unit or one more state. Errc::invalid where the rule makes no
  /// sense for it.
  virtual Status know(std::size_t input, const Known& known) = 0;
  /// One more series of a pattern among `reads`.
  virtual Result<std::size_t> add(std::size_t pattern, const Known& known) = 0;
  virtual Shown shown() const = 0;

 protected:
  explicit Joint(std::size_t own) : own_(static_cast<std::uint32_t>(own)) {}
  virtual void note(std::size_t input, const Sample& sample) = 0;
  virtual Finding judge(Timestamp at) = 0;

 private:
  Timestamp newest_{};
  std::uint32_t own_;  ///< the input that is the watched series itself, or kNone: it only says when to look

 protected:
  bool waits_ = false;
};

}  // namespace tidegate::rules
